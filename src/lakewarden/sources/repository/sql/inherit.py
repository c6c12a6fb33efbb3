"""What is granted on catalogs and schemas reaches what is inside, whichever file of a project says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.identity import EffectiveGrant
from lakewarden.sources.repository.bundle.principals import kind_of_name, named
from lakewarden.sources.repository.sql.follow import compatible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lakewarden.facts.collect import Facts
    from lakewarden.facts.fact import Fact

_SIZES = {"catalog": 1, "schema": 2, "table": 3, "volume": 3, "model": 3, "function": 3}


class _Object(NamedTuple):
    row: Fact
    kind: str
    name: str
    target: str | None


class _Grants(NamedTuple):
    """The grants of all projects: by the name of what they are on, and those on what is only partly known."""

    named: dict[tuple[str | None, str, str], list[Fact]]
    vague: dict[str | None, list[tuple[_Object, Fact]]]


def inherit(facts: Facts) -> None:
    """Add the effective grants that code gives: on its own securables, and on those that bundles and Terraform declare."""
    objects = {row.key: found for row in facts.rows["securables"] if (found := _object(row)) is not None}
    by_code = {key for key, one in objects.items() if one.row.__dict__.get("declared_in") == "code"}
    if not by_code:
        return
    grants = _Grants({}, {})
    for grant in facts.rows["grants"]:
        on = objects.get(str(grant.__dict__.get("securable")))
        if on is not None and "?" in on.name:
            grants.vague.setdefault(on.row.project, []).append((on, grant))
        elif on is not None:
            grants.named.setdefault((on.row.project, on.kind, on.name), []).append(grant)
    written = {row.key for row in facts.rows["effective_grants"]}
    for one in objects.values():
        for kind, name in _around(one):
            for grant in grants.named.get((one.row.project, kind, name), ()):
                _reach(facts, one, grant, by_code, written)
        _vaguely(facts, one, grants.vague.get(one.row.project, ()), by_code, written)


def _vaguely(facts: Facts, one: _Object, vague: Iterable[tuple[_Object, Fact]], by_code: set[str], written: set[str]) -> None:
    """Write the grants on an object that is only partly known, and that grants on others may reach it."""
    told = False
    for on, grant in vague:
        if on.row is one.row:
            _reach(facts, one, grant, by_code, written)
        elif not told and _may_hold(on, one):
            told = True
            reason = f"a grant on {on.name.replace('?', '{?}')} may reach {one.name.replace('?', '{?}')}"
            facts.gap(
                Gap(
                    Cause.UNRESOLVED, "effective_grants", reason, project=one.row.project, parent=one.row.key, origin=grant.origin
                )
            )


def _object(row: Fact) -> _Object | None:
    """A declared securable of a catalog, by its name; None where it has none or stands in no catalog."""
    values = row.__dict__
    kind, target = str(values.get("kind")), values.get("target")
    start = f"{target or row.project}/"
    name = row.key.removeprefix(start)
    if values.get("plane", "declared") != "declared" or name == row.key or name.count(".") + 1 != _SIZES.get(kind, 0):
        return None
    return _Object(row, kind, name, target)


def _around(one: _Object) -> Iterator[tuple[str, str]]:
    """The object itself and what contains it, as far as the names are known."""
    parts = one.name.split(".")
    for kind in ("catalog", "schema"):
        size = _SIZES[kind]
        if size < len(parts) and "?" not in "".join(parts[:size]):
            yield kind, ".".join(parts[:size])
    if "?" not in one.name:
        yield one.kind, one.name


def _may_hold(outer: _Object, inner: _Object) -> bool:
    if outer.target is not None and inner.target is not None and outer.target != inner.target:
        return False
    if outer.kind not in ("catalog", "schema"):
        return outer.kind == inner.kind and compatible(outer.name, inner.name)
    return compatible(outer.name, ".".join(inner.name.split(".")[: _SIZES[outer.kind]]))


def _reach(facts: Facts, one: _Object, grant: Fact, by_code: set[str], written: set[str]) -> None:
    """Write that a grant reaches an object; what a bundle grants on its own it has written itself."""
    values = grant.__dict__
    if values["securable"] not in by_code and one.row.key not in by_code:
        return
    if values["target"] is not None and one.target is not None and values["target"] != one.target:
        return
    principal = values["principal"]
    key = f"{one.row.key}/{principal or f'?{grant.key}'}/{values['privilege'] or f'?{grant.key}'}"
    if key in written:
        return
    written.add(key)
    facts.add(
        EffectiveGrant(
            key=key,
            project=one.row.project,
            securable=one.row.key,
            principal=principal,
            privilege=values["privilege"],
            to_owner=_to_owner(one.row, principal),
            origin=grant.origin,
        )
    )


def _to_owner(row: Fact, principal: str | None) -> bool | None:
    """Is a principal the owner of a securable? Where none is declared, that is whoever deploys: no group."""
    kind, owner = row.__dict__.get("owner_kind"), row.__dict__.get("owner")
    if principal is None or owner is None:
        return None
    if kind == "deployer":
        return False if principal.startswith("group:") else None
    return principal == named(kind_of_name(owner), owner)
