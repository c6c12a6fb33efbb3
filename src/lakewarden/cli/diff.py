"""`lakewarden diff`: what became of the violations of one audit in another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lakewarden.cli.options import Color, OutputTable, PolicyFile, Table, WhenColor

if TYPE_CHECKING:
    from lakewarden.judge.compare import Side

_GZIP = b"\x1f\x8b"


def diff(
    before: Annotated[Path, typer.Argument(help="The older audit: a JSON report, or a snapshot.", metavar="A")],
    after: Annotated[Path, typer.Argument(help="The newer one.", metavar="B")],
    policy: PolicyFile = None,
    output_format: OutputTable = Table.TEXT,
    limit: Annotated[int, typer.Option(help="Show so many of each kind; 0 shows all.", min=0, metavar="N")] = 50,
    color: WhenColor = Color.AUTO,
) -> None:
    """Compare two audits: JSON reports that `lakewarden audit` wrote, or snapshots, which are judged by the policy first.

    A violation is fixed only where its object was seen to pass, and gone only where the list that held it was read to its end;
    otherwise it is lost sight of. Exit codes: 0 nothing new fails, 1 something new or worse fails, 2 usage, 3 sight was lost of
    something.
    """
    import sys

    from lakewarden.errors import ExitCode
    from lakewarden.judge.compare import compare
    from lakewarden.reports import comparison, json_report
    from lakewarden.reports.dump import dump
    from lakewarden.reports.options import options_for

    compared = compare(_side(before, policy), _side(after, policy))
    if output_format is Table.JSON:
        dump(json_report.comparison(str(before), compared), sys.stdout, levels=2)
    else:
        comparison.write(compared, (str(before), str(after)), sys.stdout, options_for(sys.stdout, color.value), limit)
    if any(changed.told.fails for changed in (*compared.new, *compared.worsened)):
        raise typer.Exit(ExitCode.FINDINGS)
    raise typer.Exit(ExitCode.INCOMPLETE if compared.lost or compared.fewer else ExitCode.CLEAN)


def _side(file: Path, policy: Path | None) -> Side:
    from lakewarden.reports.sides import side_of

    return side_of(_document(file, policy), str(file), str(file))


def _document(file: Path, policy: Path | None) -> Any:
    """The report in a file, or that of the snapshot in it."""
    import json

    from lakewarden.errors import UsageError

    try:
        content = file.read_bytes()
    except OSError as problem:
        raise UsageError(f"cannot read {file}: {problem.strerror}", "name a JSON report of an audit, or a snapshot") from None
    if content.startswith(_GZIP):
        return _judged(file, policy)
    try:
        return json.loads(content)
    except ValueError:
        raise UsageError(
            f"{file} is neither a JSON report nor a snapshot", "write one: lakewarden audit --output json=FILE"
        ) from None


def _judged(file: Path, policy: Path | None) -> Any:
    from lakewarden.cli import live
    from lakewarden.facts.snapshot import read
    from lakewarden.judge.request import Wishes
    from lakewarden.judge.run import judge_repository
    from lakewarden.reports.json_report import document

    found = [read(file, to_judge=True)]
    root_policy, today = live.policy_of(policy), live.today_of(found, None)
    seen = live.joined(found, [str(file)], root_policy, today)
    wishes = Wishes(use_baseline=False, today=today, incomplete=seen.incomplete, notes=seen.accepted)
    return document(judge_repository(live.audited(root_policy, seen.facts, seen.filled, None), wishes))
