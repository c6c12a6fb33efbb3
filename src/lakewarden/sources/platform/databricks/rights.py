"""What the auditor itself may see: without the right an answer with 200 may leave things out."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.errors import SourceError
from lakewarden.sources.platform.wire.errors import Refused

if TYPE_CHECKING:
    from lakewarden.sources.platform.wire.api import Api

UNITY = "/api/2.1/unity-catalog"
FAMILY = "unity-catalog"
#: Who holds one of these on an object sees all that is in it, with the grants of others (documentation: READ METADATA, MANAGE).
_SEES_GRANTS = frozenset({"MANAGE", "READ_METADATA"})
#: Who holds one of these sees that the object and all that is in it are there.
_SEES_OBJECTS = _SEES_GRANTS | {"BROWSE"}


class Me(NamedTuple):
    """The auditor: its name, and the groups that it is in."""

    name: str
    names: frozenset[str]
    is_admin: bool


class Rights:
    """Answers, once for each securable, what the auditor may see of it. Thread-safe."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._me: Me | None = None
        self._held: dict[tuple[str, str], frozenset[str]] = {}
        self._lock = threading.Lock()
        self._metastore_owned = False

    @property
    def me(self) -> Me:
        """The auditor. Raises a SourceError where the workspace does not say who asks."""
        with self._lock:
            if self._me is None:
                said = self._api.get("/api/2.0/preview/scim/v2/Me", family="scim")
                groups = [str(group.get("display")) for group in said.get("groups") or () if isinstance(group, dict)]
                name = str(said.get("userName") or said.get("applicationId") or "")
                self._me = Me(name, frozenset({name, *groups}), "admins" in groups)
            return self._me

    def owns(self, owner: object) -> bool:
        """Is the auditor, or a group that it is in, this owner?"""
        return isinstance(owner, str) and bool(owner) and owner in self.me.names

    def owns_metastore(self, owner: object) -> None:
        """Remember who owns the metastore: its owner is metastore admin, who sees everything in it."""
        self._metastore_owned = self.owns(owner)

    @property
    def is_metastore_admin(self) -> bool:
        """Does the auditor own the metastore?"""
        return self._metastore_owned

    def held(self, kind: str, name: str) -> frozenset[str]:
        """The privileges that the auditor holds on a securable, inherited ones included, in upper case with underscores."""
        with self._lock:
            known = self._held.get((kind, name))
        if known is None:
            path = f"{UNITY}/effective-permissions/{kind}/{name}"
            said = self._api.pages(path, "privilege_assignments", {"principal": self.me.name, "max_results": 0}, family=FAMILY)
            known = frozenset(
                str(one.get("privilege")).upper().replace(" ", "_")
                for assignment in said
                for one in assignment.get("privileges") or ()
                if isinstance(one, dict)
            )
            with self._lock:
                self._held[kind, name] = known
        return known

    def require_objects(self, kind: str, name: str, owner: object) -> None:
        """Raise `Refused` unless the auditor sees everything that is in the securable."""
        if kind == "metastore":  # there is no BROWSE on it
            self._require(
                _SEES_GRANTS,
                "READ METADATA",
                kind,
                name,
                owner,
                "catalogs and locations that the auditor may not use are left out",
            )
            return
        self._require(_SEES_OBJECTS, "BROWSE", kind, name, owner, "what is in it is listed only as far as the auditor may use it")

    def require_grants(self, kind: str, name: str, owner: object) -> None:
        """Raise `Refused` unless the auditor sees the grants of others on the securable: without the right it gets its own
        alone, with 200.
        """
        self._require(_SEES_GRANTS, "READ METADATA", kind, name, owner, "the grants of others are not shown to the auditor")

    def require_admin(self, what: str) -> None:
        """Raise `Refused` unless the auditor is an admin of the workspace: others are shown what they may view, with 200."""
        if not self.me.is_admin:
            raise Refused(
                f"{what} are listed only as far as the auditor may view them",
                f"add `{self.me.name}` to the group admins of the workspace",
            )

    def _require(self, enough: frozenset[str], grant: str, kind: str, name: str, owner: object, why: str) -> None:
        if self._metastore_owned or self.owns(owner):
            return
        try:
            held = self.held(kind, name)
        except SourceError as problem:
            raise Refused(f"{kind} {name}: {why}; its rights could not be read: {problem.reason}", problem.remedy) from problem
        if enough.isdisjoint(held):
            word = "MODEL" if kind == "function" else kind.upper().replace("_", " ")
            raise Refused(f"{kind} {name}: {why}", f"GRANT {grant} ON {word} `{name}` TO `{self.me.name}`")
