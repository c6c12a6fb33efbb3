"""All examples together, each a project of its own, so that an engine asks each rule once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lakewarden.engines.duckdb import DuckDBEngine
from lakewarden.facts.fact import TABLES
from lakewarden.testing.outcome import prepare_example

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lakewarden.facts.placeholders import Row
    from lakewarden.testing.examples import Example

PolicyRow = tuple[tuple[str, Any], ...]


class Estate(NamedTuple):
    """Examples under one policy: an engine that holds their facts, the rules that they are of, and the facts."""

    engine: DuckDBEngine
    codes: frozenset[str]
    tables: Mapping[str, list[Row]]


def build_estates(examples: Iterable[Example], needed: frozenset[str]) -> dict[PolicyRow, Estate]:
    """An estate for each policy that the examples have."""
    rows: dict[PolicyRow, dict[str, list[Row]]] = {}
    codes: dict[PolicyRow, set[str]] = {}
    for number, example in enumerate(examples):
        prepared, policy = prepare_example(example, needed)
        codes.setdefault(tuple(policy.items()), set()).add(example.code)
        estate = rows.setdefault(tuple(policy.items()), {})
        for table, found in _renamed(prepared.rows, f"e{number}:").items():
            estate.setdefault(table, []).extend(found)
    estates = {}
    for policy_row, tables in rows.items():
        engine = DuckDBEngine()
        engine.load(tables, dict(policy_row))
        estates[policy_row] = Estate(engine, frozenset(codes[policy_row]), tables)
    return estates


def _renamed(tables: Mapping[str, Sequence[Row]], prefix: str) -> dict[str, list[Row]]:
    """The rows with every key, and every column that holds one, under a prefix."""
    found: dict[str, list[Row]] = {}
    for name, rows in tables.items():
        columns = [c.name for c in TABLES[name].columns.values() if c.references is not None or c.name in ("key", "project")]
        found[name] = [
            {**row, **{column: prefix + row[column] for column in columns if row.get(column) is not None}} for row in rows
        ]
    return found
