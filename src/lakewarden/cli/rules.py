"""`lakewarden rules`: all rules of the catalogue, and those that the policy adds."""

from __future__ import annotations

import sys

from lakewarden.cli.options import OutputTable, PolicyFile, Table


def rules(output_format: OutputTable = Table.TEXT, policy: PolicyFile = None) -> None:
    """List every rule with its severity, confidence, profile and status: those of Lakewarden, then those that the policy adds."""
    from pathlib import Path

    from lakewarden.cli.session import policy_for
    from lakewarden.judge.catalogue import doc_of, rules_under
    from lakewarden.reports.explain import write_json, write_list

    documented = [(rule, doc_of(rule)) for rule in rules_under(policy_for([Path()], policy)[1]).values()]
    write = write_json if output_format is Table.JSON else write_list
    write(documented, sys.stdout)
