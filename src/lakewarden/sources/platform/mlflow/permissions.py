"""Who may do what with experiments and models of an MLflow server.

The server's `default_permission` is told by no call, but what a user effectively may do is, from 3.13 on: it is asked once for
each user, and once more for each grant that a user holds on one experiment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lakewarden.errors import SourceError
from lakewarden.facts.gaps import Cause
from lakewarden.facts.model.identity import Permission
from lakewarden.sources.platform.estate import DEPLOYED, Collector, Need
from lakewarden.sources.platform.mlflow.login import API, FAMILY, Login
from lakewarden.sources.platform.mlflow.server import login, require_admin, users_of
from lakewarden.sources.platform.wire.errors import Missing
from lakewarden.sources.platform.wire.gather import gather

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.sources.platform.estate import Estate

_EFFECTIVE = "/api/3.0/mlflow/users/permissions/get"
_LEVELS = {"READ": "CAN_READ", "USE": "CAN_USE", "EDIT": "CAN_EDIT", "MANAGE": "CAN_MANAGE"}
_NOTHING = frozenset({"DENY", "NO_PERMISSIONS"})
_ALL = "*"


class _Grant(NamedTuple):
    """What a role of a user says: kind and id of the object (`*` for all), and the permission."""

    user: str
    kind: str
    number: str
    permission: str


class _Users(NamedTuple):
    """The users: admins apart, what each may do with experiments that no grant names, and by experiment with those."""

    base: dict[str, str]
    of: dict[tuple[str, str], str]
    grants: list[_Grant]


def collect(estate: Estate) -> None:
    """Write a row for each user and experiment, and one for each grant on models."""
    users: _Users | None = None
    problem: SourceError | None = None
    try:
        found = login(estate)
        users = _users(estate, found) if not found.open else _Users({}, {}, [])
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
        if grant.kind == "registered_model" and grant.permission in _LEVELS:
            at = f"{estate.workspace}/registered_model/{grant.number}"
            _write(estate, "model", at, grant.number, f"user:{grant.user}", _LEVELS[grant.permission])


def _users(estate: Estate, found: Login) -> _Users:
    listed = users_of(estate, found)
    require_admin(estate, "roles of users")
    grants = [grant for name, user in listed for grant in _grants(name, user)]
    people = [name for name, user in listed if user.get("is_admin") is not True]
    asked = [(name, _ALL) for name in people]
    asked += sorted({(g.user, g.number) for g in grants if g.kind == "experiment" and g.number != _ALL and g.user in people})
    answers = {one: answer.get() for one, answer in gather(lambda one: _effective(estate, *one), asked)}
    return _Users({name: answers[name, _ALL] for name in people}, answers, list(dict.fromkeys(grants)))


def _grants(name: str, user: dict[str, Any]) -> Iterator[_Grant]:
    for role in user.get("roles") or ():
        for one in role.get("permissions") or ():
            yield _Grant(name, str(one.get("resource_type")), str(one.get("resource_pattern")), str(one.get("permission")))


def _effective(estate: Estate, user: str, number: str) -> str:
    query = {"username": user, "resource_type": "experiment", "resource_id": number}
    try:
        said = estate.api.get(_EFFECTIVE, query, family=FAMILY, right="admin of the server")
    except Missing as problem:
        reason = f"{estate.workspace} does not tell what {user} may do, and its default permission is told by no call"
        raise SourceError(Cause.UNRESOLVED.value, reason, "upgrade the server to MLflow 3.13 or later") from problem
    permission = said.get("permission")
    if permission not in _LEVELS and permission not in _NOTHING:
        reason = f"{estate.workspace} says that {user} has {permission}, which means nothing here"
        raise SourceError(Cause.FAILED.value, reason, "upgrade lakewarden")
    return str(permission)


def _on(users: _Users, number: str, *, everybody: bool) -> Iterator[tuple[str, str]]:
    """The principals with a permission on one experiment."""
    if everybody:
        yield "everyone:anybody", "CAN_MANAGE"
        return
    yield "group:admins", "CAN_MANAGE"
    for name, base in users.base.items():
        permission = users.of.get((name, number), base)
        if permission in _LEVELS:
            yield f"user:{name}", _LEVELS[permission]


def _write(estate: Estate, kind: str, prefix: str, name: str | None, principal: str, level: str) -> None:
    estate.facts.add(
        Permission(
            key=f"{prefix}/{principal}/{level}",
            plane=DEPLOYED,
            origin=estate.at(f"{API}/users/list"),
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
        Need("MLflow: GET /api/2.0/mlflow/users/list", "admin of the server; MLflow 3.13 or later"),
        Need("MLflow: GET /api/3.0/mlflow/users/permissions/get", "admin of the server; one request for each user and grant"),
    ),
    collect,
)
