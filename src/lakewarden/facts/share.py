"""A snapshot for people who have no rights in production: configuration, without runs and without names of people."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from lakewarden.facts.collect import Facts
from lakewarden.facts.fact import TABLES
from lakewarden.facts.gaps import Cause, Gap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lakewarden.facts.origin import Origin

_USER = "user"
#: A mail address, as it stands in a name, a path or an address.
_MAIL = re.compile(r"[\w.+'!#$&*=?^{|}~-]+(?:@|%40)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*", re.IGNORECASE)
#: A person as facts write principals, and the folder of a person.
_NAMED = re.compile(r"(\buser:|/Users/|/Repos/)([^/\s`,;]+)")
#: What bundles in development mode put before the names of what they deploy: the short name of a person.
_DEVELOPER = re.compile(r"\[dev [^\]]+\]")
_REASON = "it was left out of the snapshot, which was collected with --share"


def about_runs() -> frozenset[str]:
    """The tables that are left out: runs, and everything that is listed of a run."""
    found = {"runs"}
    while more := {
        name for name, table in TABLES.items() if name not in found and found & {*table.parents.values(), *table.listed_by}
    }:
        found |= more
    return frozenset(found - {"branch_commits"})


def shared(facts: Facts) -> Facts:
    """The facts as they may be handed on. A person is told by a number, so that it is seen that somebody has a right."""
    out, left_out = Facts(), about_runs()
    rows = [row for table in facts.rows if table not in left_out for row in facts.rows[table] if row.plane != "observed"]
    people = People(_numbered(_names([row.__dict__ for row in rows], facts.gaps)))
    for row in rows:
        values = {name: people.without(value) for name, value in row.__dict__.items() if name != "origin"}
        for column, value in row.__dict__.items():
            if row.__dict__.get(f"{column}_kind") == _USER and isinstance(value, str):
                values[column] = people.number(value)
        out.add(TABLES[row.table](**values, origin=people.place(row.origin)))
    out.complete = {
        (table, plane, scope._replace(parent=people.without(scope.parent)))
        for table, plane, scope in facts.complete
        if table not in left_out and plane != "observed"
    }
    out.gaps = [people.gap(gap) for gap in facts.gaps if gap.facts not in left_out and gap.plane != "observed"]
    out.unlisted = {at: people.gap(gap) for at, gap in facts.unlisted.items()}
    # What happened is left out altogether: lineage and the like name people.
    for table in sorted(left_out | {name for name, table in TABLES.items() if table.observed}):
        for plane in ("deployed", "observed"):
            out.otherwise(Gap(Cause.NOT_ASKED, table, _REASON, "ask who collected it for an audit", plane))
    return out


def _names(rows: Iterable[dict[str, Any]], gaps: Iterable[Gap]) -> Iterator[str]:
    """Every name of a person that stands somewhere."""
    for values in rows:
        for column, value in values.items():
            if isinstance(value, str):
                yield from _in(value)
                if values.get(f"{column}_kind") == _USER:
                    yield value
    for gap in gaps:
        for text in (gap.reason, gap.remedy, gap.parent or ""):
            yield from _in(text)


def _in(text: str) -> Iterator[str]:
    if "@" in text or "%40" in text:
        yield from _MAIL.findall(text)
    if "user:" in text or "/Users/" in text or "/Repos/" in text:
        yield from (name for _, name in _NAMED.findall(text))


def _numbered(names: Iterable[str]) -> Callable[[str], str]:
    """Gives each person a number, in an order that tells nothing of the name."""
    known = sorted({_plain(name) for name in names}, key=lambda name: hashlib.sha256(name.encode()).digest())
    numbers = {name: f"person-{number}" for number, name in enumerate(known, 1)}
    return lambda name: numbers.get(name, "person")


class People:
    """Puts something else for the names of persons: what `named` makes of a name in lower case."""

    def __init__(self, named: Callable[[str], str]) -> None:
        self._named = named

    def number(self, name: str) -> str:
        """What stands for a name."""
        return self._named(_plain(name))

    def without(self, value: Any) -> Any:
        """A value without names."""
        if not isinstance(value, str):
            return value
        if "[dev " in value:
            value = _DEVELOPER.sub("[dev person]", value)
        if "user:" in value or "/Users/" in value or "/Repos/" in value:
            value = _NAMED.sub(lambda found: f"{found[1]}{self.number(found[2])}", value)
        if "@" in value or "%40" in value:
            value = _MAIL.sub(lambda found: self.number(found[0]), value)
        return value

    def place(self, origin: Origin | None) -> Origin | None:
        """A place without names."""
        return None if origin is None else origin._replace(url=self.without(origin.url))

    def gap(self, gap: Gap) -> Gap:
        """A gap without names."""
        texts = {name: self.without(getattr(gap, name)) for name in ("reason", "remedy", "parent")}
        return gap._replace(**texts, origin=self.place(gap.origin))


def _plain(name: str) -> str:
    return re.sub("%40", "@", name, flags=re.IGNORECASE).lower()
