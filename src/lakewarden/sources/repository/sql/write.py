"""Writes what SQL declares as facts: each object once, with the place that its name or its target gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.data import Catalog, Schema
from lakewarden.facts.model.identity import Grant, PrincipalSummary, Securable
from lakewarden.facts.origin import Origin
from lakewarden.sources.repository.bundle.principals import is_everyone, kind_of_name, named, told_kind

if TYPE_CHECKING:
    from lakewarden.facts.collect import Facts
    from lakewarden.sources.repository.code.result import Span
    from lakewarden.sources.repository.sql.follow import Owner, Privilege
    from lakewarden.sources.repository.sql.names import Full

#: What stands in no catalog.
_OUTSIDE = frozenset(
    {"external_location", "storage_credential", "connection", "share", "metastore", "recipient", "provider", "other"}
)
_NONE = "none"


class Place(NamedTuple):
    """The file that is read, and the target that it is launched in; None where its names tell the stage."""

    path: str
    project: str
    target: str | None

    def origin(self, span: Span) -> Origin:
        """Where something stands in the file."""
        return Origin(self.path, span.line, span.column, span.end_line, span.end_column, span.cell)

    def key(self, name: Full) -> str:
        """The key of an object."""
        return f"{self.target or self.project}/{name.same}"


class Writer:
    """Collects rows, each key once."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._securables = {row.key: row for row in facts.rows["securables"]}
        self._ours: set[str] = set()
        self._grants = {row.key for row in facts.rows["grants"]}
        self._principals = {row.key for row in facts.rows["principal_summary"]}
        self._numbers: dict[str, int] = {}
        self._spots: set[tuple[str, str, int | None, int | None]] = set()
        self._keys = {row.key for row in facts.rows["table_keys"]}
        self._catalogs = {row.key for table in ("catalogs", "schemas") for row in facts.rows[table]}

    def securable(self, place: Place, kind: str, name: Full, span: Span) -> str:
        """Write a securable; its key."""
        key = place.key(name)
        if key not in self._securables:
            catalog = _NONE if kind in _OUTSIDE else name.catalog
            if catalog is None and place.target is None:
                told: str | None = "parameter"
            else:
                told = "target" if place.target is not None else catalog
            origin = place.origin(span)
            if catalog is None and kind != "table":
                self.facts.unresolved(
                    "securables", f"the catalog of {name.shown} is not written out", project=place.project, origin=origin
                )
            row = Securable(
                key=key,
                project=place.project,
                origin=origin,
                kind=kind,
                catalog=catalog,
                target=place.target,
                named=told,
                declared_in="code",
                owner="deployer",
                owner_kind="deployer",
            )
            self._securables[key] = row
            self._ours.add(key)
            self.facts.add(row)
        return key

    def new_key(self, key: str) -> bool:
        """Is it a column of a key that nothing was written of yet?"""
        if key in self._keys:
            return False
        self._keys.add(key)
        return True

    def number_in(self, file: str) -> str:
        """The key of the next object of a file that is only counted."""
        self._numbers[file] = self._numbers.get(file, 0) + 1
        return f"{file}#{self._numbers[file]}"

    def created(self, place: Place, kind: str, name: Full, span: Span) -> None:
        """Write a catalog or a schema that is created by its full name."""
        if not name.same.strip("?."):
            return  # nothing is known of it but that it is there
        key = self.securable(place, kind, name, span)
        if kind not in ("catalog", "schema") or key in self._catalogs or name.known is None:
            return
        self._catalogs.add(key)
        origin = place.origin(span)
        if kind == "schema":
            self.facts.add(Schema(key=key, project=place.project, catalog=name.catalog, target=place.target, origin=origin))
            return
        self.facts.add(
            Catalog(key=key, project=place.project, name=name.catalog, target=place.target, catalog_type="MANAGED", origin=origin)
        )
        reason = f"{place.path}:{span.line}: SQL cannot say whether a catalog is isolated"
        self.facts.gap(
            Gap(Cause.NOT_ASKED, "catalogs", reason, "run `lakewarden audit`", project=place.project, origin=origin, value=True)
        )

    def owner(self, place: Place, owner: Owner) -> None:
        """Write the owner of a securable; of one that a bundle declares, the bundle's word stands."""
        key = self.securable(place, owner.kind, owner.name, owner.span)
        if key not in self._ours:
            return
        kind = None if owner.owner is None else kind_of_name(owner.owner)
        values = self._securables[key].__dict__
        values["owner"], values["owner_kind"] = owner.owner, told_kind(kind, owner.owner)
        values["origin"] = place.origin(owner.span)
        if owner.owner is None:
            self.facts.unresolved(
                "securables",
                f"the owner of {owner.name.shown} is not written out",
                project=place.project,
                origin=values["origin"],
            )

    def grant(self, place: Place, granted: Privilege) -> None:
        """Write one grant."""
        securable = self.securable(place, granted.kind, granted.name, granted.span)
        kind = None if granted.principal is None else kind_of_name(granted.principal)
        principal = named(kind, granted.principal)
        number = f"?{place.path}#{granted.at}"
        key = f"{securable}/{principal or number}/{granted.privilege or number}"
        spot = (key, place.path, granted.span.cell, granted.span.line)
        if spot in self._spots:
            return
        self._spots.add(spot)
        if key in self._grants:  # said twice: each place is told, and where a name is not known they may be two objects
            key = f"{key}@{place.path}#{granted.at}"
        self._grants.add(key)
        origin = place.origin(granted.span)
        if principal is None or granted.privilege is None:
            what = "the principal" if principal is None else "the privilege"
            self.facts.unresolved(
                "grants", f"{what} of a GRANT on {granted.name.shown} is not written out", project=place.project, origin=origin
            )
        self._remember(principal, origin)
        of = self._securables[securable].__dict__
        self.facts.add(
            Grant(
                key=key,
                project=place.project,
                origin=origin,
                securable=securable,
                catalog=of["catalog"],
                target=of["target"],
                named=of["named"],
                principal=principal,
                principal_kind=told_kind(kind, granted.principal),
                privilege=granted.privilege,
            )
        )

    def _remember(self, principal: str | None, origin: Origin) -> None:
        if principal is None or principal in self._principals:
            return
        self._principals.add(principal)
        kind, _, name = principal.partition(":")
        everyone = is_everyone(kind, name)
        person = True if everyone or kind == "user" else False if kind == "service_principal" else None
        self.facts.add(PrincipalSummary(key=principal, has_person=person, origin=origin))
        if person is None:
            self.facts.unresolved("principal_summary", f"the members of {name} are not declared", project=None, origin=origin)
