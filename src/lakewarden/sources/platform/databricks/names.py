"""Names of principals, as facts write them."""

from __future__ import annotations

from typing import NamedTuple

from lakewarden.sources.repository.bundle.principals import kind_of_name, told_kind


class Named(NamedTuple):
    """A principal: kind and name; both None for one that was deleted."""

    kind: str | None
    name: str | None

    @property
    def key(self) -> str | None:
        """The principal as everywhere that one is named, `kind:name`."""
        return None if self.kind is None or self.name is None else f"{self.kind}:{self.name}"


def named(name: object) -> Named:
    """The principal that a name in Unity Catalog or in a job stands for: an application id, a mail, else a group.

    A principal that was deleted has an empty name (SDK, `PrivilegeAssignment`).
    """
    if not isinstance(name, str) or not name:
        return Named(None, None)
    return Named(told_kind(kind_of_name(name), name), name)
