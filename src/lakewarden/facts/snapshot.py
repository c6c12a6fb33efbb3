"""Facts in a file: what a live estate showed, to be judged again without it, under any policy.

Lines of JSON in gzip: a header, then rows, completed lists and gaps, at the end a digest of all lines before it. A file
without that end was cut off, and nothing of it is taken to be complete.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from itertools import chain, islice
from sys import intern
from typing import TYPE_CHECKING, Any, NamedTuple

from lakewarden.errors import SnapshotError, UsageError
from lakewarden.facts.collect import Facts, Scope
from lakewarden.facts.fact import TABLES
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.origin import Origin
from lakewarden.facts.packed import roomy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from lakewarden.facts.fact import Fact

#: Goes up when a reader of today could not read, or would misread, what is written. New tables and columns need no other: a reader
#: that does not know them refuses the file, and where they are not in a file nobody has read them.
VERSION = 1
_LIVE = ("deployed", "observed")
#: Lines that are read at once, which takes half of the time.
_AT_ONCE = 1_000


class Header(NamedTuple):
    """What a snapshot is of: the version of lakewarden that wrote it, its workspaces, when it was begun and ended (UTC), the
    tables that could be filled, those that were wanted, the requests by family, what keeps it from being whole,
    whether runs and names of people were left out, its servers of MLflow, and those of open-source Unity Catalog.
    """

    version: str
    workspaces: tuple[str, ...]
    begun: str
    ended: str
    filled: tuple[str, ...]
    wanted: tuple[str, ...]
    requests: Mapping[str, int]
    partial: str = ""
    shared: bool = False
    servers: tuple[str, ...] = ()
    catalogs: tuple[str, ...] = ()


class Snapshot(NamedTuple):
    """A snapshot that was read: its header and its facts. `sha256` is that of the file, where somebody asked for it."""

    header: Header
    facts: Facts
    sha256: str | None = None


def write(path: Path, header: Header, facts: Facts) -> None:
    """Write the live facts; the file is whole or not there.

    Raises:
        UsageError: the file cannot be written.
    """
    write_records(path, header, _records(facts))


def write_records(path: Path, header: Header, records: Iterable[list[Any]]) -> None:
    """Write what follows the header of a snapshot: rows, completed lists and gaps.

    Raises:
        UsageError: the file cannot be written.
    """
    beside = path.with_name(f"{path.name}.part")
    digest = hashlib.sha256()
    try:
        # Without a name and a time in the file, equal facts are equal bytes.
        with beside.open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0, compresslevel=6) as file:
            for record in chain([["lakewarden-snapshot", VERSION, header._asdict()]], records):
                line = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
                digest.update(line)
                file.write(line)
            file.write(json.dumps(["end", digest.hexdigest()]).encode() + b"\n")
        beside.replace(path)
    except OSError as problem:
        raise UsageError(f"cannot write {path}: {problem.strerror}", "name a file in a folder that you may write to") from problem


def _records(facts: Facts) -> Iterator[list[Any]]:
    for name in sorted(facts.rows):
        for row in sorted((row for row in facts.rows[name] if row.plane in _LIVE), key=lambda row: (row.plane, row.key)):
            yield row_record(row)
    for table, plane, scope in sorted(facts.complete, key=str):
        if plane in _LIVE:
            yield ["list", table, plane, scope.project, scope.parent]
    for gap in facts.gaps:
        if gap.plane in _LIVE:
            yield ["gap", *_gap(gap)]
    for gap in facts.unlisted.values():
        yield ["unlisted", *_gap(gap)]


def row_record(row: Fact) -> list[Any]:
    """What stands in a snapshot for a fact."""
    values = {k: v for k, v in row.__dict__.items() if k not in ("origin", "plane") and v is not None}
    return ["row", row.table, row.plane, values, _origin(row.origin)]


def _origin(origin: Origin | None) -> list[str | None] | None:
    return None if origin is None else [origin.url, origin.time]


def _gap(gap: Gap) -> list[Any]:
    return [
        gap.cause.value,
        gap.facts,
        gap.reason,
        gap.remedy,
        gap.plane,
        gap.project,
        gap.parent,
        _origin(gap.origin),
        gap.value,
    ]


def read(path: Path, *, to_judge: bool = False) -> Snapshot:
    """Read a snapshot. For judging alone large tables are packed: who changes a fact of them changes a copy.

    Raises:
        UsageError: there is no such file, it is no snapshot, was changed or cut off, or is of a version that is not known.
    """
    try:
        with gzip.open(path, "rb") as file:
            return _read(path, iter(file), to_judge=to_judge)
    except FileNotFoundError:
        raise SnapshotError(f"there is no snapshot {path}", "write one: lakewarden collect -o FILE") from None
    except (OSError, EOFError, zlib.error) as problem:
        raise _damaged(path, "it cannot be read to its end") from problem
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as problem:
        raise _damaged(path, "it holds what no snapshot holds") from problem


def _damaged(path: Path, why: str) -> SnapshotError:
    return SnapshotError(f"{path} is no whole snapshot: {why}", "collect it again: lakewarden collect -o FILE")


def _read(path: Path, lines: Iterator[bytes], *, to_judge: bool) -> Snapshot:
    digest, facts = hashlib.sha256(), Facts()
    first = next(lines, b"")
    kind, version, said = json.loads(first)
    if kind != "lakewarden-snapshot":
        raise ValueError(kind)
    if version != VERSION:
        raise SnapshotError(
            f"{path} is a snapshot of version {version}; this lakewarden reads version {VERSION}",
            "judge it with the lakewarden that wrote it, or collect it again",
        )
    fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in said.items() if k in Header._fields}
    digest.update(first)
    scopes: dict[tuple[str | None, str | None], Scope] = {}  # many lists are of one object
    while some := list(islice(lines, _AT_ONCE)):
        end = some.pop() if some[-1].startswith(b'["end"') else None
        digest.update(b"".join(some))
        try:
            for record in json.loads(b"[%b]" % b",".join(some)):
                _take(record, facts, scopes, to_judge=to_judge)
        except _UnknownError as table:
            raise SnapshotError(
                f"{path} was written by lakewarden {fields.get('version')}, whose table {table} this one does not know in full",
                "judge it with the lakewarden that wrote it, or collect it again",
            ) from None
        if end is not None:
            if json.loads(end)[1] != digest.hexdigest() or next(lines, None) is not None:
                raise _damaged(path, "its digest is wrong, somebody changed it")
            return Snapshot(Header(**fields), facts)
    raise _damaged(path, "its end is missing")


class _UnknownError(ValueError):
    """A table, or a column of one, that only another lakewarden knows."""


def _take(record: list[Any], facts: Facts, scopes: dict[tuple[str | None, str | None], Scope], *, to_judge: bool) -> None:
    kind, *rest = record
    if kind == "row":
        table, plane, values, at = rest
        if table not in TABLES or not TABLES[table].columns.keys() >= values.keys():
            raise _UnknownError(table)
        fact = TABLES[table](**values, plane=plane, origin=_place(at))
        if to_judge:
            facts.rows[table] = roomy(facts.rows[table], table)
        facts.rows[table].append(fact)
    elif kind == "list":
        table, plane, project, parent = rest
        facts.complete.add((intern(table), intern(plane), scopes.setdefault((project, parent), Scope(project, parent))))
    else:
        cause, table, reason, remedy, plane, project, parent, at, value = rest
        gap = Gap(Cause(cause), table, reason, remedy, plane, project, parent, _place(at), value)
        if kind == "gap":
            facts.gap(gap)
        elif kind == "unlisted":
            facts.otherwise(gap)
        else:
            raise ValueError(kind)


def _place(at: list[str | None] | None) -> Origin | None:
    return None if at is None else Origin(url=at[0], time=at[1])
