"""What an answer about the permissions of a workspace object says: who holds which level."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lakewarden.sources.platform.wire.errors import Failed
from lakewarden.sources.repository.bundle.principals import told_kind

if TYPE_CHECKING:
    from collections.abc import Iterator

PATH = "/api/2.0/permissions"
FAMILY = "permissions"
_HOLDERS = (("user_name", "user"), ("service_principal_name", "service_principal"), ("group_name", "group"))


class Entry(NamedTuple):
    """One level that a principal holds; each is None where the answer leaves it out. `key` tells the entries of a list apart."""

    key: str
    principal: str | None
    level: str | None


def entries(said: dict[str, Any], what: str) -> Iterator[Entry]:
    """Each level of each principal, once, inherited ones too. Raises Failed where the answer is none about permissions."""
    if "access_control_list" not in said and "object_id" not in said:
        raise Failed(f"the answer about permissions of {what} has none", "run again; report it if it stays so")
    seen: set[str] = set()
    for at, entry in enumerate(said.get("access_control_list") or ()):
        principal = next(
            (f"{told_kind(kind, entry[field])}:{entry[field]}" for field, kind in _HOLDERS if entry.get(field)), None
        )
        levels: list[dict[str, Any]] = entry.get("all_permissions") or [{}]
        for held in levels:
            level = held.get("permission_level")
            key = f"{principal or f'?{at}'}/{level or '?'}"
            if key not in seen:
                seen.add(key)
                yield Entry(key, principal, level)
