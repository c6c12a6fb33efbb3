"""`lakewarden rules`: all rules of the catalogue."""

from __future__ import annotations

import sys

from lakewarden.cli.options import OutputTable, Table


def rules(output_format: OutputTable = Table.TEXT) -> None:
    """List every rule with its severity, confidence, profile and status."""
    from lakewarden.judge.catalogue import doc_of, load_rules
    from lakewarden.reports.explain import write_json, write_list

    documented = [(rule, doc_of(rule)) for rule in load_rules().values()]
    write = write_json if output_format is Table.JSON else write_list
    write(documented, sys.stdout)
