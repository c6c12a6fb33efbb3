"""Grants: `databricks_grants`, which says all that is granted on a securable, and `databricks_grant`, which adds to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.facts.model.identity import EffectiveGrant, Grant, Securable
from lakewarden.sources.repository.terraform.computed import FULL_NAMES
from lakewarden.sources.repository.terraform.principals import Principal, principal_of, remember
from lakewarden.sources.repository.terraform.unity_catalog import KINDS, OUTSIDE, Object, named
from lakewarden.sources.repository.terraform.values import Unknown, Value, to_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lakewarden.facts.origin import Origin
    from lakewarden.sources.repository.terraform.root import Item, Root

#: The arguments that name what a privilege is granted on.
_ON = {
    "catalog": "catalog",
    "schema": "schema",
    "table": "table",
    "view": "table",
    "volume": "volume",
    "model": "model",
    "external_location": "external_location",
    "storage_credential": "storage_credential",
}
_LEVELS = {"catalog": 1, "schema": 2, "table": 3, "volume": 3, "model": 3}


class Granted(NamedTuple):
    """One privilege of one principal."""

    securable: str
    key: str
    principal: Principal
    privilege: str | None
    origin: Origin


class Register:
    """The securables of a project by kind and name, whichever root module makes them."""

    def __init__(self, objects: list[Object]) -> None:
        self.objects = {made.key: made for made in objects}
        self._by_name: dict[tuple[str, str], list[Object]] = {}
        self._by_address: dict[tuple[str, str], Object] = {}
        for made in objects:
            if made.name is not None:
                self._by_name.setdefault((made.kind, made.name), []).append(made)
            self._by_address[made.root.key, made.item.address] = made

    def by_name(self, root: Root, kind: str, name: str) -> Object | None:
        """The securable that a root module means: its own, else the only one of that name."""
        found = self._by_name.get((kind, name), [])
        own = [made for made in found if made.root.key == root.key]
        return own[0] if own else found[0] if len(found) == 1 else None

    def by_item(self, root: Root, item: Item | None) -> Object | None:
        """The securable that a resource of the root module makes."""
        return None if item is None else self._by_address.get((root.key, item.address))


def write_grants(roots: list[Root], objects: list[Object], seen: set[str]) -> None:
    """Write the grants of all root modules of a project, and what is inherited."""
    register = Register(objects)
    granted: dict[str, list[Granted]] = {}
    written: set[str] = set()
    for root in roots:
        for kind in ("databricks_grants", "databricks_grant"):
            for item in root.of(kind):
                for one in _grants(root, item, register, seen):
                    if one.key not in written:
                        written.add(one.key)
                        granted.setdefault(one.securable, []).append(one)
    _effective(register.objects, granted)


def _grants(root: Root, item: Item, register: Register, seen: set[str]) -> Iterator[Granted]:
    on = next(((name, kind) for name, kind in _ON.items() if item.section.value(name) is not None), None)
    if on is None:
        return  # on something that no rule asks about
    made = _object(root, item, *on, register)
    if made is None:
        return
    blocks = root.sections(item.section, "grant", "grants", "effective_grants", parent=made.key)
    for section in blocks if item.type == "databricks_grants" else [item.section]:
        value = section.value("principal")
        principal = principal_of(root, value)
        if principal.key is None:
            root.gap("grants", value if isinstance(value, Unknown) else Unknown("who is granted is whoever runs Terraform"),
                     section.origin_of("principal"))  # fmt: skip
        remember(root, principal, seen)
        privileges = section.value("privileges")
        if not isinstance(privileges, list):
            why = privileges if isinstance(privileges, Unknown) else Unknown("privileges have to be a list", "mend the value")
            for table in ("grants", "effective_grants"):
                root.gap(table, why, section.origin_of("privileges"), parent=made.key, value=False)
            continue
        for number, one in enumerate(privileges):
            text = to_text(one)
            if text is None:
                root.gap("grants", one if isinstance(one, Unknown) else Unknown("a privilege is no text"), section.origin)
            privilege = None if text is None else "_".join(text.upper().split())
            who = principal.key or f"?{item.address}#{section.origin.line}"
            key = f"{made.key}/{who}/{privilege or f'?{number}'}"
            _write(root, item, made, key, principal, privilege, section.origin, register)
            yield Granted(made.key, key, principal, privilege, section.origin)


def _write(
    root: Root,
    item: Item,
    made: Object,
    key: str,
    principal: Principal,
    privilege: str | None,
    origin: Origin,
    register: Register,
) -> None:
    if ("grants", key) in root.taken:
        return
    root.taken.add(("grants", key))
    root.facts.add(
        Grant(
            key=key,
            project=root.project,
            securable=made.key,
            catalog=made.catalog,
            target=made.root.place(made.item) if made.key in register.objects else root.place(item),
            named=named(root, item, made.catalog, made.written),
            principal=principal.key,
            principal_kind=principal.told_kind,
            privilege=privilege,
            origin=origin,
        )
    )


def _object(root: Root, item: Item, field: str, kind: str, register: Register) -> Object | None:
    """What a privilege is granted on: a securable of the project, or one that is declared elsewhere, which is then told."""
    value: Value = item.section.value(field)
    text = to_text(value)
    if text is None:
        found = register.by_item(root, root.item_of(value))
        if found is None:
            why = value if isinstance(value, Unknown) else Unknown(f"{field} is no text", "mend the value")
            for table in ("grants", "effective_grants"):
                root.gap(table, why, item.section.origin_of(field), value=False)
            for table in ("securables", "grants"):
                root.gap(table, why, item.section.origin_of(field))
            return _declared_elsewhere(root, item, f"{root.place(item)}/{item.address}", kind, None, field, register, why)
        return found
    name = text.lower().replace("`", "")
    found = register.by_name(root, kind, name)
    if found is not None:
        return found
    key = f"{root.place(item)}/{name if kind not in OUTSIDE else f'{kind}:{name}'}"
    return _declared_elsewhere(root, item, key, kind, name, field, register, value)


def _declared_elsewhere(
    root: Root, item: Item, key: str, kind: str, name: str | None, field: str, register: Register, value: Value
) -> Object:
    """A securable that no resource here makes, or of which that is not known; `value` is its name as it is written."""
    parts: tuple[str | None, ...] = (name,)
    if kind not in OUTSIDE:
        parts = tuple(name.split(".")) if name is not None else ()
    if kind in _LEVELS and len(parts) != _LEVELS[kind]:
        parts = (None,) * _LEVELS[kind]
    made = Object(key, kind, parts, item, root, value)
    if ("securables", key) not in root.taken:
        root.taken.add(("securables", key))
        root.facts.add(
            Securable(
                key=key,
                project=root.project,
                kind=kind,
                catalog=made.catalog,
                target=root.place(item),
                named=named(root, item, made.catalog, value),
                declared_in="terraform",
                owner="deployer",
                owner_kind="deployer",
                origin=item.section.origin_of(field),
            )
        )
    register.objects.setdefault(key, made)
    return made


def _effective(objects: Mapping[str, Object], granted: Mapping[str, list[Granted]]) -> None:
    """Write the privileges on each securable and on what contains it, as far as the configuration declares both."""
    by_name: dict[tuple[str, ...], list[str]] = {}
    for key in granted:
        made = objects[key]
        if made.kind in ("catalog", "schema") and None not in made.parts:
            by_name.setdefault(tuple(str(part) for part in made.parts), []).append(key)
    for key, made in objects.items():
        above = [tuple(str(part) for part in made.parts[:size]) for size in (1, 2) if _within(made, size)]
        holders = [key, *(holder for parts in above for holder in by_name.get(parts, []) if holder != key)]
        seen: set[str] = set()
        for holder in holders:
            for one in granted.get(holder, []):
                who = one.principal.key or f"?{one.key}"
                row = f"{key}/{who}/{one.privilege or one.key}"
                if row in seen:
                    continue
                seen.add(row)
                made.root.facts.add(
                    EffectiveGrant(
                        key=row,
                        project=made.root.project,
                        securable=key,
                        principal=one.principal.key,
                        privilege=one.privilege,
                        to_owner=_to_owner(made, one.principal),
                        origin=one.origin,
                    )
                )


def _within(made: Object, size: int) -> bool:
    return made.kind not in OUTSIDE and size < len(made.parts) and None not in made.parts[:size]


def _to_owner(made: Object, principal: Principal) -> bool | None:
    """Is the principal the owner? Who deploys may be any person or service principal, and is no group."""
    value = made.item.section.value("owner") if made.item.type in FULL_NAMES and made.item.type in KINDS else None
    owner = None if value is None else principal_of(made.root, value)
    if owner is not None and owner.key is not None and principal.key is not None:
        return owner.key == principal.key
    if owner is None and principal.kind == "group":
        return False
    return None
