"""Who registers versions of a live model, and who may promote them: owners, grants and creators, through groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.facts.estate.access import around
from lakewarden.facts.estate.members import Members, closure, members_of
from lakewarden.facts.model.registry import ModelIdentity
from lakewarden.facts.packed import within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lakewarden.facts.completeness import Completeness
    from lakewarden.facts.fact import Fact

#: The lists of a model that tell of its identities.
_LISTS = {
    "unity_catalog": ("effective_grants", "model_versions", "securables"),
    "workspace": ("model_versions", "registry_rights"),
}
#: Of one whose registry is not known, both.
_EITHER = ("effective_grants", "model_versions", "securables", "registry_rights")
_REGISTERS = frozenset({"CREATE_MODEL_VERSION", "ALL_PRIVILEGES"})
#: What lets nobody register or promote: any other privilege may.
_HARMLESS = frozenset({"APPLY_TAG", "BROWSE", "EXECUTE", "READ_METADATA", "USE_CATALOG", "USE_SCHEMA", "SELECT", "MODIFY"})


#: What a level of another registry lets somebody do: register and promote. On Databricks whoever may promote may register as well,
#: so that only who did register counts (SDK, `RegisteredModelPermissionLevel`); on a server of MLflow one permission is for both.
_LEVELS: Mapping[str | None, tuple[bool, bool]] = {
    **dict.fromkeys(("CAN_READ", "CAN_EDIT", "CAN_MANAGE_STAGING_VERSIONS", "READ", "USE"), (False, False)),
    **dict.fromkeys(("CAN_MANAGE_PRODUCTION_VERSIONS", "CAN_MANAGE"), (False, True)),
    **dict.fromkeys(("EDIT", "MANAGE"), (True, True)),
}
#: Whose rights cannot be taken.
_ADMINS = "group:admins"


class _Right(NamedTuple):
    """What somebody does or may do with a model; `who` is None for somebody who is not known."""

    who: str | None
    registers: bool | None
    promotes: bool | None


def model_identities(rows: Mapping[str, Sequence[Fact]], complete: Completeness) -> Iterator[ModelIdentity]:
    """What each principal may do with each live model; marks each list that was seen whole. Admins of the metastore or the
    workspace may do everything everywhere, and are left out.
    """
    owners: dict[tuple[str, str], list[Fact]] = {}
    models = [(row.plane, row.key) for row in rows["models"] if row.plane != "declared"]
    wanted = {one for _, key in models for one in (key, *around(key))}
    for row in within(rows["securables"], "key", wanted):
        owners.setdefault((row.plane, row.key), []).append(row)
    granted, created = (
        _by(within(rows["effective_grants"], "securable", wanted), "securable"),
        _by(rows["model_versions"], "model"),
    )
    levels = _by(rows["registry_rights"], "model")
    written = {(row.plane, row.__dict__["model"]) for row in rows["model_identities"]}
    planes = {plane for plane, _ in models}
    inside = {plane: _Inside(members_of(rows, complete, plane)) for plane in planes}
    for model in rows["models"]:
        at = (model.plane, model.key)
        if model.plane == "declared" or at in written:
            continue
        rights = [_Right(row.__dict__.get("created_by"), registers=True, promotes=False) for row in created.get(at, ())]
        registry = str(model.__dict__.get("registry"))
        if registry != "workspace":
            rights += [_owner(row) for key in (model.key, *around(model.key)) for row in owners.get((model.plane, key), ())]
            rights += [_granted(row) for row in granted.get(at, ())]
        if registry != "unity_catalog":
            rights += [_level(row) for row in levels.get(at, ()) if row.__dict__.get("principal") != _ADMINS]
        gaps = (complete.gap_of(table, model.plane, None, model.key) for table in _LISTS.get(registry, _EITHER))
        unseen = next((gap for gap in gaps if gap is not None), None)
        yield from _rows(model, list(dict.fromkeys(rights)), inside[model.plane])
        if unseen is None:
            complete.mark("model_identities", model.plane, model.key)
        else:
            complete.hole("model_identities", model.plane, model.key, unseen)


def _by(rows: Iterable[Fact], column: str) -> dict[tuple[str, str], list[Fact]]:
    found: dict[tuple[str, str], list[Fact]] = {}
    for row in rows:
        found.setdefault((row.plane, row.__dict__[column]), []).append(row)
    return found


def _owner(row: Fact) -> _Right:
    kind, name = row.__dict__.get("owner_kind"), row.__dict__.get("owner")
    return _Right(None if kind is None or name is None else f"{kind}:{name}", registers=False, promotes=True)


def _granted(row: Fact) -> _Right:
    privilege = row.__dict__.get("privilege")
    if privilege in _HARMLESS:
        return _Right(row.__dict__.get("principal"), registers=False, promotes=False)
    known = privilege in _REGISTERS or privilege in ("MANAGE", "CREATE_MODEL", "CREATE_TABLE", "CREATE_FUNCTION", "CREATE_SCHEMA")
    return _Right(
        row.__dict__.get("principal"),
        registers=privilege in _REGISTERS if known else None,
        promotes=privilege == "MANAGE" if known else None,
    )


def _level(row: Fact) -> _Right:
    registers, promotes = _LEVELS.get(row.__dict__.get("level"), (None, None))
    return _Right(row.__dict__.get("principal"), registers, promotes)


class _Who(NamedTuple):
    """Who does something for certain, and who perhaps; None in them stands for somebody who was not seen."""

    surely: set[str | None]
    perhaps: set[str | None]

    @classmethod
    def of(cls, rights: list[tuple[str | None, bool | None]], inside: _Inside) -> _Who:
        surely: set[str | None] = set()
        perhaps: set[str | None] = set()
        for who, does in rights:
            if does is not False:
                (surely if does else perhaps).update(inside.of(who))
        return cls(surely, perhaps)

    def has(self, who: str | None) -> bool | None:
        if who is not None and (who in self.surely or _everybody(self.surely)):
            return True
        if who is None:
            return None if self.surely or self.perhaps else False
        unknown = None in self.surely or None in self.perhaps or who in self.perhaps or _everybody(self.perhaps)
        return None if unknown else False


class _Inside:
    """Who is in each principal, at any depth, itself included; each is looked up once."""

    def __init__(self, members: Members) -> None:
        self._members = members
        self._known: dict[str, set[str | None]] = {}

    def of(self, who: str | None) -> set[str | None]:
        if who is None:
            return {None}
        if who not in self._known:
            self._known[who] = closure(who, self._members)
        return self._known[who]


def _everybody(found: set[str | None]) -> bool:
    return any(one is not None and one.startswith("everyone:") for one in found)


def _rows(model: Fact, rights: list[_Right], inside: _Inside) -> Iterator[ModelIdentity]:
    """One row for each principal that holds a right, and for each that is in the groups of two of them."""
    registers = _Who.of([(right.who, right.registers) for right in rights], inside)
    promotes = _Who.of([(right.who, right.promotes) for right in rights], inside)
    found = {right.who for right in rights if (right.registers, right.promotes) != (False, False)}
    first, second = registers.surely | registers.perhaps, promotes.surely | promotes.perhaps
    found |= first & second
    if (None in first and second) or (None in second and first):
        found.add(None)
    for who in sorted(found, key=str):
        yield ModelIdentity(
            key=f"{model.key}/{who or '?'}",
            plane=model.plane,
            project=model.project,
            origin=model.origin,
            model=model.key,
            registers=registers.has(who),
            promotes=promotes.has(who),
        )
