"""Several snapshots as one estate: what one of them knows, what two tell differently, what is too old to count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lakewarden.facts.collect import Facts, Scope
from lakewarden.facts.estate.apart import as_one_run
from lakewarden.facts.fact import TABLES
from lakewarden.facts.gaps import INCOMPLETE, Cause, Gap
from lakewarden.facts.model.program import SnapshotConflict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lakewarden.facts.fact import Fact

#: A list: table, plane, and the key of what it belongs to.
_List = tuple[str, str, Scope]
#: A fact: table, plane, key and column.
_Told = tuple[str, str, str, str]
_STORED = frozenset({"key", "plane", "project", "origin", "gap", "environment", "stage"})
_SAID = 3


class _Known(NamedTuple):
    """Which snapshot told first of an object, and the facts that two of them tell differently: no third one decides."""

    by: dict[tuple[str, str, str], str]
    disputed: set[_Told]


class Part(NamedTuple):
    """One snapshot of several: what people call it, its facts, why it is too old, empty where it is not, what keeps it from
    being whole, and whether the policy accepts both.
    """

    name: str
    facts: Facts
    stale: str = ""
    partial: str = ""
    accepted: bool = False


def join(parts: Sequence[Part]) -> Facts:
    """The facts of all snapshots, with a row for each pair of them that was compared and for all that they contradict each
    other about. What they tell differently is not known. Fresh ones go first: what an old one holds counts nowhere, and
    where a fresh one has read the same list nothing is missing. What one could not read and another could is no gap.
    """
    if len(parts) == 1 and not parts[0].stale:
        if parts[0].accepted:
            _accept(parts[0].facts, parts[0])
        return parts[0].facts
    whole = Facts()
    known = _Known({}, set())
    if len(parts) > 1:
        as_one_run([part.facts for part in parts])
    for number, part in enumerate(sorted(parts, key=lambda part: bool(part.stale))):
        facts = _blurred(part, whole) if part.stale else part.facts
        if part.accepted:
            _accept(facts, part)
        if number and part.stale:
            whole.add(SnapshotConflict(key=part.name, what=f"what {part.name} holds", said=part.stale))
        elif number:
            _compare(whole, part, known)
        whole.reader = str(number)
        _merge(whole, facts, known, part.name)
    whole.reader = ""
    whole.forgive()
    return whole


def _accept(facts: Facts, part: Part) -> None:
    """Mark what is not seen because the snapshot is too old, or was broken off."""
    facts.gaps[:] = [gap._replace(accepted=True) if part.stale or gap.reason == part.partial else gap for gap in facts.gaps]
    for at, gap in facts.unlisted.items():
        if part.stale or gap.reason == part.partial:
            facts.unlisted[at] = gap._replace(accepted=True)


def _merge(into: Facts, other: Facts, before: _Known, name: str) -> None:
    """Add facts to others: what is not known of an object here may be known there."""
    for table, rows in other.rows.items():
        known = {(row.plane, row.key): number for number, row in enumerate(into.rows[table])}
        for row in rows:
            number = known.get((row.plane, row.key))
            if number is None:
                into.rows[table].append(row)
                before.by.setdefault((table, row.plane, row.key), name)
                continue
            mine = into.rows[table][number].__dict__
            more = {
                column: value
                for column, value in row.__dict__.items()
                if value is not None and mine.get(column) is None and (table, row.plane, row.key, column) not in before.disputed
            }
            if more:
                into.rows[table][number] = TABLES[table](**{**mine, **more})
    for one in other.complete:
        into.whole(one)
    for gap in other.gaps:
        into.gap(gap)
    for at, gap in other.unlisted.items():
        if at not in into.unlisted or (gap.cause in INCOMPLETE and not gap.accepted):
            into.unlisted[at] = gap
    into.skipped.extend(other.skipped)
    into.files_read += other.files_read


def _compare(whole: Facts, part: Part, before: _Known) -> None:
    """Tell what the snapshots before and this one say differently. In both it becomes something that is not known."""
    found = list(_conflicts(whole, part, before))
    for one in found:
        whole.add(one)
    if not found:
        whole.add(SnapshotConflict(key=part.name, agree=True, what=f"what {part.name} holds", said="the same as the others"))


def _conflicts(whole: Facts, part: Part, before: _Known) -> Iterator[SnapshotConflict]:
    apart: dict[_List, dict[str, list[str]]] = {}
    common = whole.complete & part.facts.complete
    for table, rows in part.facts.rows.items():
        known = {(row.plane, row.key): number for number, row in enumerate(whole.rows[table])}
        there = {(row.plane, row.key) for row in rows}
        for number, row in enumerate(rows):
            at = known.get((row.plane, row.key))
            if at is None:
                _note(apart, common, row, part.name)
                continue
            mine, first = whole.rows[table][at], before.by.get((table, row.plane, row.key), "another snapshot")
            for column in _told_differently(mine, row):
                yield _conflict(mine, row, column, (first, part.name))
                if TABLES[table].columns[column].nullable:
                    before.disputed.add((table, row.plane, row.key, column))
                    rows[number] = _without(rows[number], column)
                    whole.rows[table][at] = _without(whole.rows[table][at], column)
                    whole.gap(_not_known(row, column, (first, part.name)))
        for row in whole.rows[table]:
            if (row.plane, row.key) not in there:
                _note(apart, common, row, before.by.get((table, row.plane, row.key), "another snapshot"))
    for (table, plane, scope), by_name in apart.items():
        for name, keys in by_name.items():
            yield SnapshotConflict(
                key=f"{table}:{plane}:{scope.parent}#{name}",
                agree=False,
                what=f"what is in the list of {_words(table)} of {scope.parent}",
                said=f"only {name} has {_some(keys)}, and all have read the list to its end",
            )


def _told_differently(mine: Fact, other: Fact) -> list[str]:
    """The columns of which both know the value, and not the same one."""
    columns = TABLES[mine.table].columns.keys() - _STORED
    pairs = ((name, mine.__dict__.get(name), other.__dict__.get(name)) for name in sorted(columns))
    return [name for name, a, b in pairs if a is not None and b is not None and a != b]


def _conflict(mine: Fact, other: Fact, column: str, names: tuple[str, str]) -> SnapshotConflict:
    both = zip((mine, other), names, strict=True)
    said = " and ".join(f"{_value(row.__dict__[column])} in {name}{_when(row)}" for row, name in both)
    return SnapshotConflict(
        key=f"{mine.table}:{mine.plane}:{mine.key}#{column}",
        origin=other.origin,
        agree=False,
        what=f"{_words(column)} of {mine.key}",
        said=said,
    )


def _not_known(row: Fact, column: str, names: tuple[str, str]) -> Gap:
    reason = f"{_words(column)} of {row.key} is not the same in {names[0]} and {names[1]}"
    remedy = "collect both again, one soon after the other"
    return Gap(Cause.UNRESOLVED, row.table, reason, remedy, row.plane, parent=row.key, origin=row.origin, value=True)


def _without(row: Fact, column: str) -> Fact:
    return TABLES[row.table](**{**row.__dict__, column: None})


def _note(apart: dict[_List, dict[str, list[str]]], common: set[_List], row: Fact, name: str) -> None:
    """Remember an object that one snapshot lacks although it has read to its end the list that the object is in."""
    for at in _lists(row):
        if at in common:
            apart.setdefault(at, {}).setdefault(name, []).append(row.key)
            return


def _lists(row: Fact) -> Iterator[_List]:
    """The lists that an object may be in: of its parents, else of what its key begins with. Workspaces are in none: each
    snapshot has its own.
    """
    table = TABLES[row.table]
    for column in table.parents:
        yield row.table, row.plane, Scope(None, row.__dict__.get(column))
    if not table.parents and table.listed_by:
        ends = [at for at, letter in enumerate(row.key) if letter in "/.@"]
        for end in reversed(ends):
            yield row.table, row.plane, Scope(None, row.key[:end])


def _blurred(part: Part, fresh: Facts) -> Facts:
    """An old snapshot: that its objects were there is kept, so that each is told as unknown; what was said of them is not.
    What a fresh snapshot has read is left out.
    """
    found = Facts()
    for table, rows in part.facts.rows.items():
        columns = TABLES[table].columns
        keep = _STORED | {name for name, column in columns.items() if not column.nullable} | set(TABLES[table].parents)
        keep |= {TABLES[table].place_column or "key"} | {name for shared in TABLES[table].listed_by.values() for name in shared}
        known = {(row.plane, row.key) for row in fresh.rows[table]}
        for row in rows:
            if (row.plane, row.key) not in known and fresh.complete.isdisjoint(_lists(row)):
                found.add(TABLES[table](**{name: value if name in keep else None for name, value in row.__dict__.items()}))
    remedy = "collect it again: lakewarden collect -o FILE"
    for table, plane, scope in sorted(part.facts.complete - fresh.complete, key=str):
        found.gap(Gap(Cause.EXPIRED, table, part.stale, remedy, plane, scope.project, scope.parent))
    found.gaps.extend(gap for gap in part.facts.gaps if (gap.facts, gap.plane, Scope(None, gap.parent)) not in fresh.complete)
    found.unlisted.update(part.facts.unlisted)
    return found


def _value(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _when(row: Fact) -> str:
    return f" ({row.origin.time})" if row.origin is not None and row.origin.time else ""


def _words(name: str) -> str:
    return name.replace("_", " ")


def _some(keys: Iterable[str]) -> str:
    known = sorted(keys)
    shown = ", ".join(known[:_SAID])
    return shown if len(known) <= _SAID else f"{shown} and {len(known) - _SAID:,} more"
