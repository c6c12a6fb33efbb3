"""Who may do what with experiments and models of an MLflow server.

The server's `default_permission` is told by no call, but what a user effectively may do is, from 3.13 on: it is asked once for
each user and kind of object, and once more for each grant that a user holds on one object. From 3.10 to 3.12 the grants of each
user are told (see `users`), and before 3.10 nobody is told who the users are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.errors import SourceError
from lakewarden.facts.gaps import Cause
from lakewarden.facts.model.identity import Permission
from lakewarden.facts.model.registry import RegistryRight
from lakewarden.sources.platform.estate import DEPLOYED, Collector, Need
from lakewarden.sources.platform.mlflow.login import API, FAMILY, Login
from lakewarden.sources.platform.mlflow.server import login, require_admin, users_of
from lakewarden.sources.platform.mlflow.users import ALL, EXPERIMENT, KINDS, LEVELS, MODEL, NOTHING, Users, granted, grants_of
from lakewarden.sources.platform.wire.errors import Missing
from lakewarden.sources.platform.wire.gather import gather

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.facts.fact import Fact
    from lakewarden.sources.platform.estate import Estate

_EFFECTIVE = "/api/3.0/mlflow/users/permissions/get"


def collect(estate: Estate) -> None:
    """Write a row for each user and experiment, and for each user and model."""
    users: Users | None = None
    problem: SourceError | None = None
    try:
        found = login(estate)
        users = _users(estate, found) if not found.open else Users({}, {})
    except SourceError as trouble:
        problem = trouble
    origin = estate.at(f"{API}/users/list")
    here = (estate.workspace, f"{estate.workspace}/experiments")
    for table, of, kind in (("permissions", "experiments", EXPERIMENT), ("registry_rights", "models", MODEL)):
        for row in estate.facts.rows[of] if estate.wants(table) else ():
            if row.plane != DEPLOYED or row.key.rpartition("/")[0] not in here:
                continue
            with estate.facts.listing(table, plane=DEPLOYED, of=row.key, origin=origin):
                if users is None:
                    raise problem or SourceError(Cause.FAILED.value, f"{estate.workspace} was not asked")
                number = row.key.rpartition("/")[2]
                for principal, level in _on(users.on(kind, number), everybody=login(estate).open):
                    _write(estate, kind, row, principal, level)
                require_admin(estate, "users")


def _users(estate: Estate, found: Login) -> Users:
    listed = users_of(estate, found)
    require_admin(estate, "roles of users")
    if not found.tells:
        return granted(estate, [name for name, _ in listed])
    grants = {grant for name, user in listed for grant in grants_of(name, user.get("roles"))}
    people = [name for name, user in listed if user.get("is_admin") is not True]
    kinds = [kind for kind, table in zip(KINDS, ("permissions", "registry_rights"), strict=True) if estate.wants(table)]
    asked = [(name, kind, ALL) for name in people for kind in kinds]
    asked += sorted({(g.user, g.kind, g.number) for g in grants if g.kind in kinds and g.number != ALL and g.user in people})
    answers = {one: answer.get() for one, answer in gather(lambda one: _effective(estate, *one), asked)}
    return Users({(name, kind): answers[name, kind, ALL] for name in people for kind in kinds}, answers)


def _effective(estate: Estate, user: str, kind: str, number: str) -> str:
    query = {"username": user, "resource_type": kind, "resource_id": number}
    try:
        said = estate.api.get(_EFFECTIVE, query, family=FAMILY, right="admin of the server")
    except Missing as problem:
        reason = f"{estate.workspace} does not tell what {user} may do, and its default permission is told by no call"
        raise SourceError(Cause.UNRESOLVED.value, reason, "upgrade the server to MLflow 3.13 or later") from problem
    permission = said.get("permission")
    if permission not in LEVELS and permission not in NOTHING:
        reason = f"{estate.workspace} says that {user} has {permission}, which means nothing here"
        raise SourceError(Cause.FAILED.value, reason, "upgrade lakewarden")
    return str(permission)


def _on(told: dict[str, str | None], *, everybody: bool) -> Iterator[tuple[str, str | None]]:
    """The principals with a permission on one object; for those of whom no call tells it, all users with none."""
    if everybody:
        yield "everyone:anybody", "MANAGE"
        return
    yield "group:admins", "MANAGE"
    for name, permission in told.items():
        if permission in LEVELS:
            yield f"user:{name}", permission
    if None in told.values():
        yield "everyone:users", None


def _write(estate: Estate, kind: str, of: Fact, principal: str, level: str | None) -> None:
    is_model, origin = kind == MODEL, estate.at(f"{API}/users/list")
    level = level if is_model or level is None else LEVELS[level]
    key, table = f"{of.key}/{principal}/{level or 'default'}", "registry_rights" if is_model else "permissions"
    name = of.__dict__.get("name" if is_model else "path")
    if level is None:
        what = f"what users without a permission on {'model' if is_model else kind} {name} may do"
        reason = f"{what} is `default_permission` of the server, told by no call"
        estate.unexplained(table, key, reason, "upgrade the server to MLflow 3.13 or later", origin)
    if is_model:
        estate.facts.add(RegistryRight(key=key, plane=DEPLOYED, origin=origin, model=of.key, principal=principal, level=level))
        return
    estate.facts.add(
        Permission(
            key=key,
            plane=DEPLOYED,
            origin=origin,
            place=estate.workspace,
            object_kind=kind,
            object_name=name,
            principal=principal,
            is_run_as=False,
            level=level,
        )
    )


COLLECTOR = Collector(
    "MLflow permissions",
    frozenset({"permissions", "registry_rights"}),
    (
        Need("MLflow: GET /api/2.0/mlflow/users/list", "admin of the server; MLflow 3.10 or later"),
        Need("MLflow: GET /api/3.0/mlflow/users/permissions/get", "admin of the server; one request for each user and grant"),
        Need(
            "MLflow: GET /api/2.0/mlflow/users/get, /api/3.0/mlflow/users/roles/list",
            "admin of the server; before 3.13, a request for each user",
        ),
    ),
    collect,
)
