"""Facts for people, as tables that fit a terminal, and for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from lakewarden.facts.origin import Origin
from lakewarden.reports.dump import dump
from lakewarden.reports.escape import clean
from lakewarden.reports.options import Options, options_for
from lakewarden.reports.page import Line, many, plain, show, wrap
from lakewarden.reports.place import where

Tables = Mapping[str, Sequence[Mapping[str, Any]]]

#: What stands for a value that is not known; what is known to be absent says so itself.
UNKNOWN = "?"


def write_json(tables: Tables, out: TextIO) -> None:
    """Write `{table: [rows]}`, a row on each line; null is what is not known."""
    dump(
        {name: [{column: _json(value) for column, value in row.items()} for row in rows] for name, rows in tables.items()},
        out,
        levels=2,
    )


def _json(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    return {name: _json(item) for name, item in value.items()} if isinstance(value, dict) else value


def write_text(tables: Tables, out: TextIO, options: Options | None = None) -> None:
    """Write each table with its count: columns where they fit, else a paragraph for each row."""
    options = options or options_for(out)
    empty = [name for name, rows in tables.items() if not rows]
    lines: list[Line] = []
    for name, rows in tables.items():
        if rows:
            lines += [*_table(name, rows, options.width), plain()]
    if not tables or len(empty) == len(tables):
        lines.append(plain("No facts: the sources saw nothing that they know."))
    elif empty:
        lines += wrap(f"No rows: {', '.join(empty)}.", options.width)
    if any(value is None for rows in tables.values() for row in rows for value in row.values()):
        lines.append(plain(f"{UNKNOWN} is a value that is not known.", "dim"))
    show(lines, out, options)


def _table(name: str, rows: Sequence[Mapping[str, Any]], width: int) -> list[Line]:
    cells = [{column: _cell(value) for column, value in row.items()} for row in rows]
    columns = list(dict.fromkeys(column for row in cells for column in row))
    common = {c: cells[0].get(c, "") for c in columns if len({row.get(c, "") for row in cells}) == 1} if cells[1:] else {}
    own = [column for column in columns if column not in common] or columns[:1]
    lines: list[Line] = [plain(f"{name}: {many(len(rows), 'row')}", "bold")]
    if common:
        lines += wrap(f"the same in all: {_pairs(common)}", width, ("  ", "    "), style="dim")
    widths = {column: max(len(column), *(len(row.get(column, "")) for row in cells)) for column in own}
    if sum(widths.values()) + 2 * len(own) <= width:
        lines.append(plain("".join(f"  {column:{widths[column]}}" for column in own), "dim"))
        lines += [plain("".join(f"  {row.get(column, ''):{widths[column]}}" for column in own)) for row in cells]
        return lines
    head, *others = own
    for row in cells:
        lines += wrap(row.get(head, ""), width, ("  ", "    "), style="bold")
        lines += wrap(_pairs({column: row[column] for column in others if column in row}), width, ("    ", "      "))
    return lines


def _pairs(values: Mapping[str, str]) -> str:
    return "  ".join(f'{name}="{value}"' if " " in value else f"{name}={value}" for name, value in values.items())


def _cell(value: Any) -> str:
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        known = {name: item for name, item in value.items() if name in Origin._fields}
        return where(Origin(**known)) if known.keys() == value.keys() else clean(str(value))
    return clean(str(value))
