"""Who may do what with experiments and models of an MLflow server.

The server's `default_permission` is told by no call, but what a user effectively may do is, from 3.13 on: it is asked once for
each user, and once more for each grant that a user holds on one experiment. From 3.10 to 3.12 the grants of each user are told
(see `users`), and before 3.10 nobody is told who the users are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.errors import SourceError
from lakewarden.facts.gaps import Cause
from lakewarden.facts.model.identity import Permission
from lakewarden.sources.platform.estate import DEPLOYED, Collector, Need
from lakewarden.sources.platform.mlflow.login import API, FAMILY, Login
from lakewarden.sources.platform.mlflow.server import login, require_admin, users_of
from lakewarden.sources.platform.mlflow.users import ALL, LEVELS, NOTHING, Users, granted, grants_of
from lakewarden.sources.platform.wire.errors import Missing
from lakewarden.sources.platform.wire.gather import gather

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.sources.platform.estate import Estate

_EFFECTIVE = "/api/3.0/mlflow/users/permissions/get"


def collect(estate: Estate) -> None:
    """Write a row for each user and experiment, and one for each grant on models."""
    users: Users | None = None
    problem: SourceError | None = None
    try:
        found = login(estate)
        users = _users(estate, found) if not found.open else Users({}, {}, [])
    except SourceError as trouble:
        problem = trouble
    origin = estate.at(f"{API}/users/list")
    for row in estate.facts.rows["experiments"]:
        if row.plane != DEPLOYED or row.__dict__.get("place") != estate.workspace:
            continue
        with estate.facts.listing("permissions", plane=DEPLOYED, of=row.key, origin=origin):
            if users is None:
                raise problem or SourceError(Cause.FAILED.value, f"{estate.workspace} was not asked")
            for principal, level in _on(users, row.key.rpartition("/")[2], everybody=login(estate).open):
                _write(estate, "experiment", row.key, row.__dict__.get("path"), principal, level)
            require_admin(estate, "users")
    for grant in users.grants if users is not None else ():
        # No list belongs to these: no rule asks for who is missing among them.
        if grant.kind == "registered_model" and grant.permission in LEVELS:
            at = f"{estate.workspace}/registered_model/{grant.number}"
            _write(estate, "model", at, grant.number, f"user:{grant.user}", LEVELS[grant.permission])


def _users(estate: Estate, found: Login) -> Users:
    listed = users_of(estate, found)
    require_admin(estate, "roles of users")
    if not found.tells:
        return granted(estate, [name for name, _ in listed])
    grants = [grant for name, user in listed for grant in grants_of(name, user.get("roles"))]
    people = [name for name, user in listed if user.get("is_admin") is not True]
    asked = [(name, ALL) for name in people]
    asked += sorted({(g.user, g.number) for g in grants if g.kind == "experiment" and g.number != ALL and g.user in people})
    answers = {one: answer.get() for one, answer in gather(lambda one: _effective(estate, *one), asked)}
    return Users({name: answers[name, ALL] for name in people}, answers, list(dict.fromkeys(grants)))


def _effective(estate: Estate, user: str, number: str) -> str:
    query = {"username": user, "resource_type": "experiment", "resource_id": number}
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


def _on(users: Users, number: str, *, everybody: bool) -> Iterator[tuple[str, str | None]]:
    """The principals with a permission on one experiment; for those of whom no call tells it, all users with none."""
    if everybody:
        yield "everyone:anybody", "CAN_MANAGE"
        return
    yield "group:admins", "CAN_MANAGE"
    told = {name: users.of.get((name, number), base) for name, base in users.base.items()}
    for name, permission in told.items():
        if permission in LEVELS:
            yield f"user:{name}", LEVELS[permission]
    if None in told.values():
        yield "everyone:users", None


def _write(estate: Estate, kind: str, prefix: str, name: str | None, principal: str, level: str | None) -> None:
    key, origin = f"{prefix}/{principal}/{level or 'default'}", estate.at(f"{API}/users/list")
    if level is None:
        reason = f"what users without a permission on {kind} {name} may do is `default_permission` of the server, told by no call"
        estate.unexplained("permissions", key, reason, "upgrade the server to MLflow 3.13 or later", origin)
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
    frozenset({"permissions"}),
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
