"""What the users of an MLflow server were granted, one by one.

From 3.10 to 3.12 a server lists its users, and tells of each the permissions on experiments and models; 3.12 has roles beside
them, and of both the higher one counts (`mlflow.server.auth`). What a user without any may do stays untold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lakewarden.sources.platform.mlflow.login import API, FAMILY
from lakewarden.sources.platform.wire.errors import Failed, Missing
from lakewarden.sources.platform.wire.gather import gather

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lakewarden.sources.platform.estate import Estate

LEVELS = {"READ": "CAN_READ", "USE": "CAN_USE", "EDIT": "CAN_EDIT", "MANAGE": "CAN_MANAGE"}
NOTHING = frozenset({"DENY", "NO_PERMISSIONS"})
ALL = "*"
EXPERIMENT, MODEL = "experiment", "registered_model"
KINDS = (EXPERIMENT, MODEL)
_ORDER = ("NO_PERMISSIONS", *LEVELS)
_ROLES = "/api/3.0/mlflow/users/roles/list"
_RIGHT = "admin of the server"


class Grant(NamedTuple):
    """What a user was granted: kind and id of the object (`*` for all), and the permission."""

    user: str
    kind: str
    number: str
    permission: str


class Users(NamedTuple):
    """The users, admins apart: by user and kind what each may do with objects that no grant names, and by object with those.

    None stands for the default permission of the server, where nothing tells it.
    """

    base: Mapping[tuple[str, str], str | None]
    of: Mapping[tuple[str, str, str], str]

    def on(self, kind: str, number: str) -> dict[str, str | None]:
        """What each user may do with one object."""
        return {name: self.of.get((name, kind, number), base) for (name, of_kind), base in self.base.items() if of_kind == kind}


def grants_of(name: str, roles: Any) -> Iterator[Grant]:
    """What the roles of a user say."""
    for role in roles or ():
        for one in role.get("permissions") or ():
            yield Grant(name, str(one.get("resource_type")), str(one.get("resource_pattern")), str(one.get("permission")))


def granted(estate: Estate, names: list[str]) -> Users:
    """The users of a server that tells grants and no effective permissions. Raises a SourceError where one is not told."""
    base: dict[tuple[str, str], str | None] = {}
    of: dict[tuple[str, str, str], str] = {}
    for name, answer in gather(lambda name: _of_user(estate, name), names):
        is_admin, direct, roles = answer.get()
        for kind in KINDS if not is_admin else ():
            # A role without permissions takes nothing away: the default stays.
            over_all = [g for g in roles if g.number == ALL and g.kind in (kind, "workspace")]
            base[name, kind] = _highest(over_all)
            for number in {g.number for g in (*direct, *roles) if g.kind == kind and g.number != ALL}:
                own = [g for g in direct if (g.kind, g.number) == (kind, number)]
                by_role = [*over_all, *(g for g in roles if (g.kind, g.number) == (kind, number))]
                permission = _highest(by_role) or (own[0].permission if own else None)
                if permission is not None:
                    of[name, kind, number] = max(permission, *(g.permission for g in own), key=_ORDER.index)
    return Users(base, of)


def _highest(grants: list[Grant]) -> str | None:
    """The highest permission, None for none at all."""
    found = [grant.permission for grant in grants if grant.permission in LEVELS]
    return max(found, key=_ORDER.index) if found else None


def _of_user(estate: Estate, name: str) -> tuple[bool, list[Grant], list[Grant]]:
    """Whether a user is an admin, what it was granted itself, and what by roles."""
    said = estate.api.get(f"{API}/users/get", {"username": name}, family=FAMILY, right=_RIGHT).get("user")
    if not isinstance(said, dict) or not isinstance(said.get("is_admin"), bool):
        raise Failed(f"{estate.workspace} does not tell who {name} is", "run again; report it if it stays so")
    direct = [
        Grant(name, kind, str(one.get(key)), str(one.get("permission")))
        for kind, field, key in (
            (EXPERIMENT, "experiment_permissions", "experiment_id"),
            (MODEL, "registered_model_permissions", "name"),
        )
        for one in said.get(field) or ()
    ]
    try:
        found = estate.api.get(_ROLES, {"username": name}, family=FAMILY, right=_RIGHT).get("roles")
    except Missing as problem:
        if problem.code:
            raise
        found = ()  # before 3.12 there are no roles
    roles = list(grants_of(name, found))
    unknown = {grant.permission for grant in (*direct, *roles)}.difference(_ORDER)
    if unknown:
        raise Failed(f"{estate.workspace} says that {name} has {min(unknown)}, which means nothing here", "upgrade lakewarden")
    return said["is_admin"], direct, roles
