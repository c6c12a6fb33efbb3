"""Changes of what production serves, of which snapshots, histories and audit logs tell, each held against what was attested before."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.facts.estate.sight import ADD, DROP
from lakewarden.gate.attested import uri_of
from lakewarden.gate.promotions.views import Event, View, root_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lakewarden.gate.attested import Statement

#: The clock of who attests may differ by so much from that of who looks, and from that of a registry and its log.
_SKEW, _NEAR = dt.timedelta(minutes=5), dt.timedelta(minutes=1)
#: Times of views are whole seconds, cut off.
_WHOLE = dt.timedelta(seconds=1)
_NONE, _UNKNOWN = "none", "unknown"
#: The verdicts that are no error: who lets a version through says so before it goes live.
_ADOPTION = "adoption"
ALLOWED = frozenset({"promotion", "rollback", _ADOPTION})
REMOVED = "removed"
_Name = tuple[str, str]


class Move(NamedTuple):
    """A change of what a name serves: at a time, or between two. `verdict` is that of its attestation: `promotion`, `rollback`,
    `adoption`, `break-glass`, `refusal`, `untrusted`, `removed` or `none`; `file` and `made` are the attestation's. `by` is who
    made the change, empty where no source tells.
    """

    kind: str
    name: str
    before: str
    after: str
    since: str
    until: str
    by: str
    sources: tuple[str, ...]
    verdict: str
    file: str = ""
    made: str = ""

    @property
    def is_error(self) -> bool:
        """Did something go live that nobody attested?"""
        return self.verdict not in ALLOWED | {REMOVED}


def moves_of(
    views: Sequence[View], events: Sequence[Event], statements: Iterable[Statement], max_age: dt.timedelta | None = None
) -> list[Move]:
    """Every change that the sources tell of, by time; one of which several tell is one. An attestation allows the first move to
    its version after it, and no later one; one that was older than `max_age` by then allows none.
    """
    told = _Statements(statements, max_age)
    names = {name for view in views for name in view.served} | {(event.kind, event.name) for event in events}
    found: list[Move] = []
    for name in sorted(names):
        own = [event for event in events if (event.kind, event.name) == name and event.effect]
        found += _Walk(name, told).over([view for view in views if _shows(view, name)], own)
    return sorted(found, key=lambda move: (move.until, move.since, move.name, move.after))


def _shows(view: View, name: _Name) -> bool:
    """Does the view say what the name served, be it nothing?"""
    if name in view.untold or root_of(name[1], view.roots) is None:
        return False
    return name in view.served or view.whole


class _Statements:
    """What was attested, and until when the attestations for a version are used up."""

    def __init__(self, statements: Iterable[Statement], max_age: dt.timedelta | None) -> None:
        self._by_uri: dict[str, list[Statement]] = {}
        for one in statements:
            self._by_uri.setdefault(one.uri, []).append(one)
        self._max_age = max_age
        self._used: dict[tuple[_Name, str], dt.datetime] = {}

    def use_up(self, name: _Name, version: str, time: dt.datetime) -> None:
        """What was attested of a version until now allows no other move to it."""
        self._used[name, version] = time + _WHOLE

    def use(self, name: _Name, version: str, since: dt.datetime, until: dt.datetime) -> Statement | None:
        """The attestation for a move between these times."""
        last = self._used.get((name, version))
        latest = until + (_NEAR if since == until else _SKEW)
        found = _before(self._by_uri.get(uri_of(version), ()), latest, last, since, self._max_age)
        made = None if found is None else found.made
        self.use_up(name, version, until if made is None else max(until, made))
        return found


def _before(
    statements: Iterable[Statement],
    latest: dt.datetime,
    used: dt.datetime | None,
    since: dt.datetime,
    max_age: dt.timedelta | None,
) -> Statement | None:
    """The newest statement that was made before a move, and after the last one to that version. A broken glass stands in one file
    of its decision, the refusal in another: the words of both are read.
    """
    known = [one for one in statements if one.valid and one.made is not None and one.made <= latest]
    known = [one for one in known if used is None or (one.made is not None and one.made > used)]
    # An adoption says what was live when it was made, not what may go live after it.
    oldest = {one: since if one.kind == _ADOPTION else since - max_age if max_age is not None else None for one in known}
    known = [one for one in known if one.made is not None and ((old := oldest[one]) is None or one.made >= old)]
    if not known:
        return next((one for one in statements if not one.valid), None)
    newest = max(one.made for one in known if one.made is not None)
    last = [one for one in known if one.made == newest]
    order = ("break-glass", "refusal", "rollback", "adoption", "promotion")
    return min(last, key=lambda one: (order.index(one.kind) if one.kind in order else 0, ".vsa." not in one.file))


@dataclass
class _Walk:
    """Goes through what is told of one name, by time. `state` is None before anything is known; while it is `open`, versions that
    were there before may be served too. `since` is when it was last known, `source` by what.
    """

    name: _Name
    told: _Statements
    state: frozenset[str] | None = None
    is_open: bool = False
    since: dt.datetime | None = None
    source: str = ""
    found: list[Move] = field(default_factory=list)
    #: The times of events, each with what was served before it.
    _was: list[tuple[dt.datetime, frozenset[str]]] = field(default_factory=list)

    def over(self, views: Iterable[View], events: Iterable[Event]) -> list[Move]:
        """All moves of the name."""
        steps: list[tuple[dt.datetime, int, View | Event]] = [(view.ended + _NEAR, 1, view) for view in views]
        steps += [(event.time, 0, event) for event in events]
        for _, _, step in sorted(steps, key=lambda one: one[:2]):
            if isinstance(step, Event):
                self._event(step)
            else:
                self._view(step)
        return self.found

    def _event(self, event: Event) -> None:
        known = self.state or frozenset[str]()
        if event.effect == DROP:
            after = known - event.versions
        else:
            after = known | event.versions if event.effect == ADD else event.versions
        if self.state is None:
            self.is_open = event.effect in (ADD, DROP)
            before = frozenset({_UNKNOWN}) if not self.is_open else known
        else:
            before = known
            self.is_open = self.is_open and event.effect in (ADD, DROP)
            self._was.append((event.time, known))
        if after == known:
            self._confirm(event.sources[0])
        self._move(before, after, event.time, event.time, event.by, event.sources)
        self.state, self.since, self.source = after, event.time, event.sources[0]

    def _view(self, view: View) -> None:
        after = view.served.get(self.name, frozenset())
        if self.state is None or self.since is None:
            # What was attested before it was first seen has had its move.
            for version in after:
                self.told.use_up(self.name, version, view.ended)
        elif after == self.state:
            self._confirm(view.source)
        elif any(after == was for time, was in self._was if view.begun - _NEAR <= time):
            return  # it was read while the log tells of a change
        else:
            into = after & self.state if self.is_open else after
            self._move(self.state, into, self.since, view.ended, "", tuple(dict.fromkeys((self.source, view.source))))
        self.state, self.is_open, self.since, self.source = after, False, view.begun, view.source

    def _confirm(self, source: str) -> None:
        """The last move is what this source shows too; the first of its kind to do so is named."""
        if self.found and _kind_of(source) not in map(_kind_of, self.found[-1].sources):
            last = self.found[-1]
            self.found[-1] = last._replace(sources=(*last.sources, source))

    def _move(
        self,
        before: frozenset[str],
        after: frozenset[str],
        since: dt.datetime,
        until: dt.datetime,
        by: str,
        sources: tuple[str, ...],
    ) -> None:
        kind, name = self.name
        left = ", ".join(sorted(before - after)) or _NONE
        entered = sorted(after - before)
        start = Move(kind, name, left, _NONE, since.isoformat(), until.isoformat(), by, sources, REMOVED)
        if not entered and before - after:
            self.found.append(start)
        for version in entered:
            move = start._replace(after=version, verdict=_NONE)
            statement = self.told.use(self.name, version, since, until)
            if statement is not None:
                made = statement.made.isoformat() if statement.made else ""
                move = move._replace(verdict=statement.kind if statement.valid else "untrusted", file=statement.file, made=made)
            self.found.append(move)


def _kind_of(source: str) -> str:
    return source.partition(" ")[0]


def as_told(move: Move) -> Mapping[str, object]:
    """A move as reports tell it."""
    return {**move._asdict(), "error": move.is_error}


def sample_of(moves: Sequence[Move], number: int, seed: str) -> list[Move]:
    """So many moves, the same ones for the same seed on every machine."""

    def drawn(move: Move) -> str:
        return hashlib.sha256(json.dumps([seed, *move[:6]]).encode()).hexdigest()

    return sorted(moves, key=drawn)[:number]
