"""Who is named: users, service principals, groups, everyone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts.model.identity import PrincipalSummary
from lakewarden.sources.repository.bundle.merge import is_null
from lakewarden.sources.repository.bundle.places import is_application_id
from lakewarden.sources.repository.bundle.variables import Kind, Problem

if TYPE_CHECKING:
    from lakewarden.facts.origin import Origin
    from lakewarden.sources.repository.bundle.reader import Reader
    from lakewarden.sources.yaml_nodes import Map, Node

_FIELDS = (("service_principal_name", "service_principal"), ("user_name", "user"), ("group_name", "group"))
#: How a reference to whoever deploys begins: a person or a service principal.
DEPLOYER = "${workspace.current_user."
_EVERYONE = frozenset({"users", "account users", "all account users", "all workspace users", "all users"})
#: How the group begins that the platform makes of all users of one workspace, to grant them its catalog.
_OF_WORKSPACE = "_workspace_users_"


def kind_of_name(name: str) -> str:
    """The kind of a principal that only a name stands for, as in grants: an application id, a mail, else a group."""
    if is_application_id(name):
        return "service_principal"
    return "user" if "@" in name or DEPLOYER in name else "group"


def is_everyone(kind: str | None, name: str | None) -> bool:
    """Is it the group of all users of a workspace or an account?"""
    told = "" if name is None else name.strip().lower()
    return kind == "group" and (told in _EVERYONE or told.startswith(_OF_WORKSPACE))


def told_kind(kind: str | None, name: str | None) -> str | None:
    """The kind as facts tell it: `everyone` for a group of all users."""
    return "everyone" if is_everyone(kind, name) else kind


def named(kind: str | None, name: str | None) -> str | None:
    """The principal as facts write it, `kind:name`."""
    return None if kind is None or name is None else f"{kind}:{name}"


def read_principal(reader: Reader, node: Map, table: str) -> tuple[str | None, str | None, Node] | None:
    """Kind and name of the principal that a `user_name`, `service_principal_name` or `group_name` gives."""
    for field, kind in _FIELDS:
        value = node.get(field)
        if value is not None and not is_null(value):
            name = reader.text(value, table)
            if name is not None and not name.strip():
                reader.gap(table, Problem(Kind.UNSET, f"{field} is empty", "write the name"), value.origin)
                return kind, None, value
            return kind, name, value
    return None


def remember(reader: Reader, principal: str | None, seen: set[str], origin: Origin | None) -> None:
    """Write what is known of a principal, once: persons, service principals, everyone. Who is in a group is not known."""
    if principal is None or principal in seen:
        return
    seen.add(principal)
    kind, _, name = principal.partition(":")
    everyone = is_everyone(kind, name)
    person = True if everyone or kind == "user" else False if kind == "service_principal" else None
    if "${" in name:  # whoever deploys
        person = None
    reader.facts.add(PrincipalSummary(key=principal, has_person=person, origin=origin))
