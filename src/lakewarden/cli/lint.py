"""`lakewarden lint`: judge what a repository declares, offline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

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
    ShowPolicy,
    Statistics,
    WhenColor,
    split,
)

if TYPE_CHECKING:
    from lakewarden.cli.session import Repository

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
    fix: Annotated[
        bool, typer.Option("--fix", help="Make the safe fixes: the diff is shown first, and a person at a terminal is asked.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="With --fix: print the diff and write nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="With --fix: write without a question.")] = False,
    statistics: Statistics = False,
    show_policy: ShowPolicy = False,
    show_files: Annotated[
        bool, typer.Option("--show-files", help="Print the files that would be read, and why others are not; judge nothing.")
    ] = False,
    exit_zero: ExitZero = False,
    allow_empty: AllowEmpty = False,
    no_cache: NoCache = False,
    color: WhenColor = Color.AUTO,
) -> None:
    """Judge what a repository declares: bundles, workflows, code, Terraform and Git. Offline; nothing is changed without --fix.

    Exit codes: 0 clean, 1 findings, 2 usage or policy, 3 something could not be seen, 4 nothing to check.
    """
    from lakewarden.cli.output import check_counted, write_reports
    from lakewarden.cli.session import narrowed, read
    from lakewarden.errors import ExitCode
    from lakewarden.judge.request import Wishes
    from lakewarden.judge.run import judge_repository
    from lakewarden.reports.options import check_shown
    from lakewarden.reports.registry import check_formats, names_fingerprints
    from lakewarden.sources.repository.changes import changed_lines

    targets = check_formats(output_format, output or [])
    check_shown(split(show))
    if statistics:
        check_counted(output_format)
    if show_policy or show_files:
        from lakewarden.cli.showing import check_alone, show_what_holds, show_what_is_read

        check_alone(output_format, output or [], files=show_files, policy=show_policy, statistics=statistics or fix)
        if show_files:
            show_what_is_read(paths or [], policy, exclude or [], output_format)
        else:
            given = {"profile": profile, "fail_on": fail_on, "fail_confidence": fail_confidence, "select": split(select)}
            own = None if no_baseline else baseline
            show_what_holds(
                paths or [], policy, output_format,
                given | {"ignore": split(ignore), "exclude": tuple(exclude or ()), "baseline": own}, no_baseline=no_baseline,
            )  # fmt: skip
        return

    def read_with(changed: Mapping[str, bytes]) -> Repository:
        cached = not no_cache
        found = read(paths or [], policy, exclude or [], use_cache=cached, bundle_json=bundle_json or [], changed=changed)
        return narrowed(found, split(bundle), split(project))

    if fix or dry_run or yes:
        from lakewarden.cli.fix import Manner, check_manner, fix_findings

        manner = Manner(dry_run, yes, diff_on_stdout=output_format in ("text", "concise"))
        check_manner(manner, fix=fix, bundle_json=bool(bundle_json))
    repository = read_with({})
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
        fingerprints=fix or names_fingerprints(targets),
    )
    result = judge_repository(repository, wishes)
    if fix:
        held = fix_findings(result, read_with, wishes, manner)
        if held is None:
            changed = changed_lines(str(repository.root), diff) if diff is not None else None
            held = judge_repository(read_with({}), replace(wishes, changed=changed))
        result = held
        if manner.dry_run and manner.diff_on_stdout:
            targets = [target for target in targets if target[1] is not None]  # a patch is nothing but a patch
    write_reports(result, targets, wishes.show, color, counted=statistics)
    if exit_zero or (allow_empty and result.exit_code == ExitCode.NOTHING_CHECKED):
        raise typer.Exit(ExitCode.CLEAN)
    raise typer.Exit(result.exit_code)
