"""The verdicts of earlier audits, in a DuckDB file or in Delta tables: what an audit is compared with; and what was served then."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from lakewarden.errors import UsageError
from lakewarden.facts.estate.sight import Shown, Sight
from lakewarden.judge.compare import Coverage, Side, Subject, Told
from lakewarden.judge.result import Point

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: The tables, each with its columns and their types; rows of `audits` are written last, and one without it counts for nothing.
TABLES: Mapping[str, Mapping[str, str]] = {
    "rules": {
        "audit": "BIGINT",
        "code": "VARCHAR",
        "judged": "BIGINT",
        "unknown": "BIGINT",
        "not_asked": "VARCHAR",
    },
    "verdicts": {
        "audit": "BIGINT",
        "code": "VARCHAR",
        "plane": "VARCHAR",
        "facts": "VARCHAR",
        "subject": "VARCHAR",
        "verdict": "VARCHAR",
        "severity": "VARCHAR",
        "confidence": "VARCHAR",
        "fails": "BOOLEAN",
        "message": "VARCHAR",
        "fingerprint": "VARCHAR",
    },
    "served": {
        "audit": "BIGINT",
        "kind": "VARCHAR",
        "name": "VARCHAR",
        "version": "VARCHAR",
    },
    "sights": {
        "audit": "BIGINT",
        "form": "BIGINT",
        "begun": "VARCHAR",
        "ended": "VARCHAR",
        "roots": "VARCHAR",
        "unseen": "VARCHAR",
    },
    "counts": {
        "audit": "BIGINT",
        "failing": "BIGINT",
        "violations": "BIGINT",
        "unknown": "BIGINT",
        "waived": "BIGINT",
        "passing": "BIGINT",
        "rules": "BIGINT",
        "incomplete": "BOOLEAN",
    },
    "audits": {
        "audit": "BIGINT",
        "day": "VARCHAR",
        "version": "VARCHAR",
        "exit_code": "BIGINT",
        "roots": "VARCHAR",
        "planes": "VARCHAR",
    },
}
_NOTHING = (None, None, None, None, None)
#: Goes up when a reader of today would misread the tables `served` and `sights`.
_FORM = 1
#: A year of audits by the week, or three months by the day.
_MOST_POINTS = 90
#: Columns by name, rows across them.
Columns = dict[str, list[Any]]


class Entry(NamedTuple):
    """One audit to be kept: what is compared, the violations that it lost sight of, the version of lakewarden, how it ended,
    what was served, and what it counted.
    """

    side: Side
    lost: Mapping[Subject, Told]
    version: str
    exit_code: int
    sight: Sight | None = None
    point: Point | None = None


class Store(Protocol):
    """Where the tables are."""

    def read(self, table: str, audit: int | None) -> list[tuple[Any, ...]]:
        """The rows of a table, those of one audit or all; none where there is no table yet."""

    def append(self, tables: Mapping[str, Columns]) -> None:
        """Add rows to the tables, in their order."""


def open_history(place: str) -> Store:
    """The history at a place: a DuckDB file, or with `delta:` a folder of Delta tables.

    Raises:
        UsageError: it cannot be opened, or holds something else.
    """
    if place.startswith("delta:"):
        from lakewarden.judge.history_delta import DeltaStore

        return DeltaStore(place.removeprefix("delta:"))
    from lakewarden.judge.history_duckdb import DuckDBStore

    return DuckDBStore(Path(place))


def last(store: Store, roots: frozenset[str]) -> Side | None:
    """The newest audit of just these workspaces, else the newest that read one of them; None where there is none."""
    found: dict[bool, tuple[int, str, frozenset[str], frozenset[str]]] = {}
    for audit, day, _, _, said, planes in sorted(store.read("audits", None), key=lambda row: int(row[0])):
        theirs = _split(said)
        if workspaces(roots) & workspaces(theirs):
            found[workspaces(roots) == workspaces(theirs)] = (audit, day, theirs, _split(planes))
    chosen = found.get(True) or found.get(False)
    return None if chosen is None else _side(store, *chosen)


def keep(store: Store, entry: Entry) -> None:
    """Add an audit."""
    # The number of an audit that was cut off is not used again: some of its rows may be there.
    numbers = [row[0] for table in ("audits", "rules") for row in store.read(table, None)]
    number, side = max(numbers, default=0) + 1, entry.side
    rules = [(number, code, told.judged, told.unknown, told.off) for code, told in sorted(side.rules.items())]
    verdicts: list[tuple[Any, ...]] = [(number, *subject, "fail", *told) for subject, told in sorted(side.fails.items())]
    verdicts += [(number, *subject, "lost", *told) for subject, told in sorted(entry.lost.items())]
    for verdict, subjects in (("waived", side.waived), ("hidden", side.hidden), ("unknown", side.unknown)):
        verdicts += [(number, *subject, verdict, *_NOTHING) for subject in sorted(subjects)]
    audit = (number, side.day, entry.version, entry.exit_code, " ".join(sorted(side.roots)), " ".join(sorted(side.planes)))
    sight = entry.sight
    served = [] if sight is None else [(number, *one) for one in sight.shown]
    sights = [] if sight is None else [_row_of(number, sight)]
    counts = [] if entry.point is None else [(number, *dataclasses.astuple(entry.point)[1:])]
    rows: Mapping[str, Sequence[tuple[Any, ...]]] = {
        "rules": rules, "verdicts": verdicts, "served": served, "sights": sights, "counts": counts,
        "audits": [audit],
    }  # fmt: skip
    store.append({table: _columns(table, rows[table]) for table in TABLES})


def _row_of(number: int, sight: Sight) -> tuple[Any, ...]:
    return (number, _FORM, sight.begun, sight.ended, " ".join(sorted(sight.roots)), json.dumps(sight.unseen))


def trend(store: Store, roots: frozenset[str]) -> tuple[Point, ...]:
    """What each audit of just these workspaces counted, the oldest first; of many only the newest."""
    counted = {audit: counts for audit, *counts in store.read("counts", None)}
    audits = sorted(store.read("audits", None), key=lambda row: int(row[0]))
    points = [
        Point(day, *counted[audit])
        for audit, day, _, _, said, _ in audits
        if audit in counted and workspaces(_split(said)) == workspaces(roots)
    ]
    return tuple(points[-_MOST_POINTS:])


def sights(store: Store, place: str) -> list[Sight]:
    """What was served at each audit; those of before this was kept have nothing of it.

    Raises:
        UsageError: a newer lakewarden wrote it.
    """
    whole = {row[0] for row in store.read("audits", None)}
    shown: dict[int, list[Shown]] = {}
    for audit, *one in store.read("served", None):
        shown.setdefault(audit, []).append(Shown(*one))
    found: list[Sight] = []
    for audit, form, begun, ended, roots, unseen in sorted(store.read("sights", None)):
        if form != _FORM:
            raise UsageError(f"the history {place} tells what was served in a newer form", "read it with a newer lakewarden")
        if audit in whole:
            found.append(Sight(begun, ended, _split(roots), tuple(sorted(shown.get(audit, ()))), tuple(json.loads(unseen))))
    return found


def _columns(table: str, rows: Sequence[tuple[Any, ...]]) -> Columns:
    return {name: [row[at] for row in rows] for at, name in enumerate(TABLES[table])}


def _side(store: Store, audit: int, day: str, roots: frozenset[str], planes: frozenset[str]) -> Side:
    of: dict[str, set[Subject]] = {"waived": set(), "hidden": set(), "unknown": set()}
    fails: dict[Subject, Told] = {}
    for _, code, plane, facts, key, verdict, *told in store.read("verdicts", audit):
        subject = Subject(code, plane, facts, key)
        if verdict in ("fail", "lost"):  # what was lost sight of stands until it is seen again
            fails[subject] = Told(*told)
        elif verdict in of:
            of[verdict].add(subject)
    rules = {code: Coverage(judged, unknown, off) for _, code, judged, unknown, off in store.read("rules", audit)}
    waived, hidden, unknown = map(frozenset, of.values())
    return Side(day, fails, waived, hidden, unknown, None, {}, rules, roots, planes)


def _split(said: str) -> frozenset[str]:
    return frozenset(said.split())


def workspaces(roots: frozenset[str]) -> frozenset[str]:
    """What was asked, whether it answered or not: a workspace that does not answer does not say its metastore."""
    return frozenset(root for root in roots if "://" in root) or roots


def broken(place: str, why: object) -> UsageError:
    """The error for a history that cannot be used."""
    return UsageError(
        f"the history {place} cannot be used: {str(why).splitlines()[0] if str(why) else why!r}",
        "name a file that lakewarden wrote, or one that is not there yet; only one audit at a time may use it",
    )
