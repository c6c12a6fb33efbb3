"""`lakewarden explain`: the documentation of a rule, or of an error, in the terminal."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from lakewarden.cli.options import OutputTable, PolicyFile, Table


def explain(
    code: Annotated[str, typer.Argument(help="Code or name of a rule, such as ENV003, or code of an error, such as E001.")],
    output_format: OutputTable = Table.TEXT,
    policy: PolicyFile = None,
) -> None:
    """Print why a rule exists, how to fix a finding, and its exceptions; or what an error means."""
    from pathlib import Path

    from lakewarden.cli.session import policy_for
    from lakewarden.errors import UsageError, coded
    from lakewarden.judge.catalogue import doc_of, find_rule, rules_under
    from lakewarden.judge.selection import nearest
    from lakewarden.reports.explain import write_json, write_text

    error = coded().get(code.upper())
    if error is not None:
        from lakewarden.reports import explain_errors

        (explain_errors.write_json if output_format is Table.JSON else explain_errors.write_text)(error, sys.stdout)
        return
    rule = find_rule(code)
    if rule is None:
        known = rules_under(policy_for([Path()], policy)[1])
        rule = find_rule(code, known)
    if rule is None:
        raise UsageError(f"no rule is called {code}{nearest(code, known)}", "run `lakewarden rules` to see all of them")
    write = write_json if output_format is Table.JSON else write_text
    write([(rule, doc_of(rule))], sys.stdout)
