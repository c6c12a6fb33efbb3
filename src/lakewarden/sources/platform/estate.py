"""What collectors of a live estate read from and write to."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from lakewarden.facts.collect import Scope
from lakewarden.facts.fact import TABLES
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.origin import Origin
from lakewarden.sources.platform.wire.errors import Failed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lakewarden.facts.collect import Facts
    from lakewarden.facts.fact import Fact
    from lakewarden.sources.platform.databricks.rights import Rights
    from lakewarden.sources.platform.databricks.statements import Warehouse
    from lakewarden.sources.platform.wire.api import Api

#: The plane of everything that an API says to be there.
DEPLOYED = "deployed"
#: The plane of what happened, as telemetry tells it.
OBSERVED = "observed"


def plane_of(table: str) -> str:
    """The plane on which a live estate tells the rows of a table."""
    return OBSERVED if TABLES[table].observed else DEPLOYED


def now() -> str:
    """The time of an answer, in UTC to the second."""
    return dt.datetime.now(tz=dt.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Estate:
    """One workspace as one identity, and the facts that are collected of it.

    `wanted` are the fact tables that the rules to be asked need, `metastore` is the key of the workspace's metastore, None
    where it is not known. `seen` holds the keys that another workspace of the run gave already, by table, and `numbers` the
    URLs of the workspaces of the run by their numbers, as bindings and versions name them; `kept` holds answers of this
    workspace that several collectors read, and `placed` the rows of objects that other workspaces may show too.
    With a `warehouse` system tables can be read.
    """

    api: Api
    facts: Facts
    wanted: frozenset[str]
    rights: Rights
    metastore: str | None = None
    seen: dict[str, set[str]] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)
    kept: dict[str, Any] = field(default_factory=dict)
    placed: dict[tuple[str, str], Fact] = field(default_factory=dict)
    on_asked: Callable[[str], None] = lambda _what: None
    warehouse: Warehouse | None = None

    @property
    def workspace(self) -> str:
        """URL of the workspace, which is its key."""
        return self.api.host

    def wants(self, *tables: str) -> bool:
        """Does a rule that will be asked need one of these?"""
        return not self.wanted.isdisjoint(tables)

    def at(self, path: str) -> Origin:
        """The place of an answer."""
        return Origin(url=f"{self.workspace}{path}", time=now())

    def unresolved(self, table: str, reason: str, origin: Origin, remedy: str) -> None:
        """Explain a NULL in a row that was seen."""
        self.facts.gap(Gap(Cause.UNRESOLVED, table, reason, remedy, DEPLOYED, origin=origin, value=True))

    def unexplained(self, table: str, key: str, reason: str, remedy: str, origin: Origin | None) -> None:
        """Explain a NULL in one row that was seen, by its key."""
        self.facts.gap(Gap(Cause.UNRESOLVED, table, reason, remedy, DEPLOYED, parent=key, origin=origin, value=True))

    def is_whole(self, table: str, of: str) -> bool:
        """Was the list of this parent read to its end, by whichever workspace of the run?"""
        return (table, DEPLOYED, Scope(None, of)) in self.facts.complete

    def add(self, *rows: Fact) -> bool:
        """Add rows of a metastore that several workspaces of the run may show. What the first does not know of an object,
        since it may see less of it, the next may. Was the first of the rows new?
        """
        new = [self._add(row) for row in rows]
        return new[0]

    def _add(self, row: Fact) -> bool:
        known = self.placed.get((row.table, row.key))
        if known is None:
            self.placed[row.table, row.key] = row
            self.facts.add(row)
            return True
        for name, value in row.__dict__.items():
            if known.__dict__.get(name) is None and value is not None:
                known.__dict__[name] = value
        return False

    def first(self, table: str, key: str) -> bool:
        """Is this the first time in the run that the object is seen? Workspaces of one metastore show the same ones."""
        of_table = self.seen.setdefault(table, set())
        if key in of_table:
            return False
        of_table.add(key)
        return True


def name_of(row: Mapping[str, Any]) -> str:
    """The name of an object of a list. Raises Failed where the answer gives none: then the list is not whole."""
    name = row.get("name")
    if not isinstance(name, str) or not name:
        raise Failed("an object of the list came without its name", "run again; report it if it stays so")
    return name


def field_of(row: Mapping[str, Any], field: str, what: str) -> str:
    """A field by which an object is told from others, as text. Raises Failed where the answer leaves it out: two of them would be
    one, and nothing could be asked about it.
    """
    value = row.get(field)
    if value is None or value == "":
        raise Failed(f"{what} came without its {field}", "run again; report it if it stays so")
    return str(value)


def stage_of(version: Mapping[str, Any]) -> str:
    """The stage of a version in a registry with stages, `None` for none. Raises Failed where the answer does not say it: the
    version may be the one in production.
    """
    stage = version.get("current_stage")
    if not isinstance(stage, str):
        raise Failed("a version came without its stage", "run again; report it if it stays so")
    return stage


class Need(NamedTuple):
    """A question to an API, and the right without which its answer is not whole: for `doctor` and the documentation."""

    call: str
    right: str


class Collector(NamedTuple):
    """Collects one kind of thing: the tables that it fills, what it needs, and the function that does it."""

    name: str
    fills: frozenset[str]
    needs: tuple[Need, ...]
    collect: Callable[[Estate], None]


class CollectorModule(Protocol):
    """A module with one collector."""

    COLLECTOR: Collector
