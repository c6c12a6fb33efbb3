"""`lakewarden explain`: the documentation of a rule in the terminal."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from lakewarden.cli.options import OutputTable, Table


def explain(
    code: Annotated[str, typer.Argument(help="Code or name of a rule, such as ENV003.")],
    output_format: OutputTable = Table.TEXT,
) -> None:
    """Print why a rule exists, how to fix a finding, and its exceptions."""
    from lakewarden.errors import UsageError
    from lakewarden.judge.catalogue import doc_of, find_rule, load_rules
    from lakewarden.judge.selection import nearest
    from lakewarden.reports.explain import write_json, write_text

    rule = find_rule(code)
    if rule is None:
        raise UsageError(f"no rule is called {code}{nearest(code, load_rules())}", "run `lakewarden rules` to see all of them")
    write = write_json if output_format is Table.JSON else write_text
    write([(rule, doc_of(rule))], sys.stdout)
