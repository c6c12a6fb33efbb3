"""`lakewarden facts`: what the sources saw."""

from __future__ import annotations

import sys
from typing import Annotated, Any, Optional

import typer

from lakewarden.cli.options import BundleJson, NoCache, OutputTable, Paths, PolicyFile, Table


def facts(
    paths: Paths = None,
    policy: PolicyFile = None,
    table: Annotated[
        Optional[list[str]], typer.Option(help="Show only these fact tables; may be repeated.", metavar="NAME")  # noqa: UP045
    ] = None,
    output_format: OutputTable = Table.TEXT,
    bundle_json: BundleJson = None,
    no_cache: NoCache = False,
) -> None:
    """Show the facts that the sources read, by table, with their places under the policy."""
    from lakewarden.cli.session import read
    from lakewarden.errors import UsageError
    from lakewarden.facts.fact import TABLES
    from lakewarden.facts.store import prepare
    from lakewarden.reports.facts import write_json, write_text

    for name in table or ():
        if name not in TABLES:
            from difflib import get_close_matches

            near = get_close_matches(name, TABLES, 1)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise UsageError(f"there is no fact table {name}{meant}", f"there are: {', '.join(TABLES)}")
    repository = read(paths or [], policy, use_cache=not no_cache, bundle_json=bundle_json or [])
    prepared = prepare(repository.facts, repository.policy, filled=repository.filled, needed=frozenset(TABLES))
    rows: dict[str, list[dict[str, Any]]] = {}
    for name in TABLES:
        shown = [
            _plain(row, prepared.origins)
            for row in prepared.rows[name]
            if row["gap"] is None and _inside(row, prepared.origins, repository.scope)
        ]
        if shown and (not table or name in table):
            rows[name] = shown
    gaps = [
        {"class": gap.cause.value, "facts": gap.facts, "scope": gap.scope, "reason": gap.reason, "remedy": gap.remedy}
        for gap in repository.facts.gaps
    ]
    if gaps and (not table or "gaps" in table):
        rows["gaps"] = gaps
    (write_json if output_format is Table.JSON else write_text)(rows, sys.stdout)


def _plain(row: dict[str, Any], origins: list[Any]) -> dict[str, Any]:
    """A row as people and scripts read it: the place instead of its number, no gap."""
    plain = {name: value for name, value in row.items() if name not in ("origin", "gap")}
    if row["origin"] is not None:
        origin = origins[row["origin"]]
        plain["origin"] = {name: value for name, value in origin._asdict().items() if value is not None}
    return plain


def _inside(row: dict[str, Any], origins: list[Any], scope: Any) -> bool:
    path = origins[row["origin"]].path if row["origin"] is not None else None
    return path is None or scope.covers(path)
