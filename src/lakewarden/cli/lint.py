"""`lakewarden lint`: judge what a repository declares, offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from lakewarden.cli.options import (
    AllowEmpty,
    BundleJson,
    Color,
    ExitZero,
    FailConfidence,
    FailOn,
    Ignore,
    MoreReports,
    NoCache,
    OfBundle,
    OfProfile,
    OfProject,
    Paths,
    PolicyFile,
    ReportFormat,
    Select,
    WhenColor,
    split,
)

_List = Optional[list[str]]  # noqa: UP045  (typer evaluates it on Python 3.10)


def lint(
    paths: Paths = None,
    policy: PolicyFile = None,
    profile: OfProfile = None,
    select: Select = None,
    ignore: Ignore = None,
    exclude: Annotated[_List, typer.Option(help="Do not read files that match.", metavar="GLOB")] = None,
    bundle: OfBundle = None,
    project: OfProject = None,
    bundle_json: BundleJson = None,
    output_format: ReportFormat = "text",
    output: MoreReports = None,
    show: Annotated[
        _List, typer.Option(help="Show more: unknown, waived, advisory, gaps; may be repeated.", metavar="WHAT")
    ] = None,
    fail_on: FailOn = None,
    fail_confidence: FailConfidence = None,
    baseline: Annotated[
        Optional[Path], typer.Option(help="Pass over the findings recorded in this file.", metavar="FILE")  # noqa: UP045
    ] = None,
    no_baseline: Annotated[bool, typer.Option("--no-baseline", help="Do not use the baseline of the policy.")] = False,
    diff: Annotated[
        Optional[str], typer.Option(help="Report only findings on lines that changed since this Git revision.", metavar="REV")  # noqa: UP045
    ] = None,
    exit_zero: ExitZero = False,
    allow_empty: AllowEmpty = False,
    no_cache: NoCache = False,
    color: WhenColor = Color.AUTO,
) -> None:
    """Judge what a repository declares: bundles, workflows, code, Terraform and Git. Offline, nothing is changed.

    Exit codes: 0 clean, 1 findings, 2 usage or policy, 3 something could not be seen, 4 nothing to check.
    """
    from lakewarden.cli.output import write_reports
    from lakewarden.cli.session import narrowed, read
    from lakewarden.errors import ExitCode
    from lakewarden.judge.request import Wishes
    from lakewarden.judge.run import judge_repository
    from lakewarden.reports.options import check_shown
    from lakewarden.reports.registry import check_formats
    from lakewarden.sources.repository.changes import changed_lines

    targets = check_formats(output_format, output or [])
    check_shown(split(show))
    repository = read(paths or [], policy, exclude or [], use_cache=not no_cache, bundle_json=bundle_json or [])
    repository = narrowed(repository, split(bundle), split(project))
    wishes = Wishes(
        profile=profile,
        select=split(select),
        ignore=split(ignore),
        fail_on=fail_on,
        fail_confidence=fail_confidence,
        baseline=None if no_baseline else baseline,
        use_baseline=not no_baseline,
        changed=changed_lines(str(repository.root), diff) if diff is not None else None,
        show=frozenset(split(show)),
    )
    result = judge_repository(repository, wishes)
    write_reports(result, targets, wishes.show, color)
    if exit_zero or (allow_empty and result.exit_code == ExitCode.NOTHING_CHECKED):
        raise typer.Exit(ExitCode.CLEAN)
    raise typer.Exit(result.exit_code)
