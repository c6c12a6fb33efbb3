"""What a principal may do with a securable through the catalog and the schema around it; owners and groups apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakewarden.facts.packed import blocks, columns, columns_within

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from lakewarden.facts.completeness import Completeness
    from lakewarden.facts.fact import Fact


_READ = ("plane", "securable", "principal", "privilege", "origin", "key")
_COLUMNS = ("key", "plane", "project", "origin", "securable", "principal", "privilege", "to_owner")


def effective_grants(rows: Mapping[str, Sequence[Fact]], complete: Completeness) -> Iterator[Mapping[str, list[Any]]]:
    """The privileges on each live securable, those that were granted on what contains it included, by columns; marks each list
    that follows from lists that were read to their end.
    """
    written = frozenset(columns(rows["effective_grants"], "plane", "securable"))
    for securables in blocks(rows["securables"]):
        yield _of_some(securables, rows["grants"], written, complete)


def _of_some(
    securables: Sequence[Fact], grants: Iterable[Fact], written: Collection[tuple[str, str]], complete: Completeness
) -> Mapping[str, list[Any]]:
    wanted = {key for row in securables if row.plane != "declared" for key in (row.key, *around(row.key))}
    granted: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
    for plane, on, *grant in columns_within(grants, "securable", wanted, *_READ):
        granted.setdefault((plane, on), []).append(tuple(grant))
    found: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    add = [column.append for column in found.values()]
    for securable in securables:
        plane, on, owner = securable.plane, securable.key, _owner(securable)
        if plane == "declared" or (plane, on) in written:
            continue
        unseen: int | None = None
        seen: set[tuple[str | None, str | None]] = set()
        for key in (on, *around(on)):
            if unseen is None:
                unseen = complete.gap_of("grants", plane, None, key)
            for principal, privilege, origin, name in granted.get((plane, key), ()):
                if (principal, privilege) in seen:
                    continue
                seen.add((principal, privilege))
                to_owner = None if principal is None or owner is None else principal == owner
                row = (
                    *(f"{on}/{principal or '?' + name}/{privilege}", plane, securable.project, origin),
                    *(on, principal, privilege, to_owner),
                )
                for put, value in zip(add, row, strict=True):
                    put(value)
        if unseen is None:
            complete.mark("effective_grants", plane, on)
        else:
            complete.hole("effective_grants", plane, on, unseen)
    return found


def _owner(securable: Fact) -> str | None:
    owner, kind = securable.__dict__.get("owner"), securable.__dict__.get("owner_kind")
    return None if owner is None or kind is None else f"{kind}:{owner}"


def around(key: str) -> Iterable[str]:
    """The keys of the schema and the catalog around a live securable, `metastore/catalog.schema.name`."""
    metastore, _, name = key.partition("/")
    parts = name.split(".")
    return (f"{metastore}/{'.'.join(parts[:size])}" for size in range(len(parts) - 1, 0, -1))
