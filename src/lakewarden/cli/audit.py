"""`lakewarden audit`: judge what is deployed and what happened, in live workspaces or in snapshots of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from lakewarden.cli.options import (
    AllowEmpty,
    AuthProfile,
    Color,
    ExitZero,
    FailConfidence,
    FailOn,
    Ignore,
    InEnvironment,
    MoreReports,
    OfMlflow,
    OfProfile,
    OfUnityCatalog,
    OfWarehouse,
    OfWorkspace,
    PolicyFile,
    ReportFormat,
    Select,
    ShowPolicy,
    Statistics,
    WhenColor,
    split,
)

_List = Optional[list[str]]  # noqa: UP045  (typer evaluates it on Python 3.10)


def audit(
    workspace: OfWorkspace = None,
    mlflow: OfMlflow = None,
    unity_catalog: OfUnityCatalog = None,
    auth_profile: AuthProfile = None,
    environment: InEnvironment = None,
    warehouse: OfWarehouse = None,
    snapshot: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Option(help="Judge this snapshot instead of asking workspaces; may be repeated.", metavar="FILE"),
    ] = None,
    as_of: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Judge snapshots as of this day; otherwise as of the day they were collected.", metavar="DATE"),
    ] = None,
    repository: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            help="Compare with what this repository declares; otherwise with the checkout of the current folder, if it has a bundle.",
            metavar="DIR",
        ),
    ] = None,
    no_repository: Annotated[bool, typer.Option("--no-repository", help="Compare with no repository.")] = False,
    policy: PolicyFile = None,
    profile: OfProfile = None,
    select: Select = None,
    ignore: Ignore = None,
    output_format: ReportFormat = "text",
    output: MoreReports = None,
    show: Annotated[
        _List, typer.Option(help="Show more: unknown, waived, advisory, gaps, requests; may be repeated.", metavar="WHAT")
    ] = None,
    limit: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(help="List so many findings of each group in the text report; 0 lists all.", min=0, metavar="N"),
    ] = None,
    fail_on: FailOn = None,
    fail_confidence: FailConfidence = None,
    attestations: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Folder of what gates attested; otherwise that of the policy.", metavar="DIR"),
    ] = None,
    history: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            help="Compare with the audit before in this DuckDB file, and keep this one; delta:FOLDER for Delta tables.",
            metavar="FILE",
        ),
    ] = None,
    fail_on_new: Annotated[
        bool, typer.Option("--fail-on-new", help="Fail only on what the audit before in the history has not.")
    ] = False,
    statistics: Statistics = False,
    show_policy: ShowPolicy = False,
    exit_zero: ExitZero = False,
    allow_empty: AllowEmpty = False,
    color: WhenColor = Color.AUTO,
) -> None:
    """Judge what is deployed: catalogs, tables, grants and owners of live workspaces. Nothing is changed there.

    In a checkout with a bundle, what is deployed is compared with what it declares. The protection of release branches is asked
    of the Git hosts of this checkout and of every `repository` that the policy's projects name; tokens are taken from GH_TOKEN,
    GITLAB_TOKEN and AZURE_DEVOPS_TOKEN.

    Exit codes: 0 clean, 1 findings, 2 usage or policy, 3 something could not be seen, 4 nothing to check.
    """
    from lakewarden.cli import live
    from lakewarden.cli.attested import attested
    from lakewarden.cli.output import check_counted, write_reports
    from lakewarden.cli.progress import say_requests
    from lakewarden.errors import ExitCode
    from lakewarden.facts.estate.close import CLOSED
    from lakewarden.facts.snapshot import read as read_snapshot
    from lakewarden.judge.catalogue import rules_under
    from lakewarden.judge.judge import tables_needed
    from lakewarden.judge.request import Wishes
    from lakewarden.judge.run import judge_repository
    from lakewarden.judge.selection import select_rules
    from lakewarden.reports.options import check_shown
    from lakewarden.reports.registry import check_formats

    targets = check_formats(output_format, output or [])
    shown = frozenset(split(show))
    check_shown(shown - {"requests"})
    if statistics:
        check_counted(output_format)
    root_policy = live.policy_of(policy)
    if show_policy:
        from lakewarden.cli.showing import check_alone, write_what_holds

        check_alone(output_format, output or [], files=False, policy=True, statistics=statistics)
        given = {"profile": profile, "fail_on": fail_on, "fail_confidence": fail_confidence, "select": split(select)}
        write_what_holds(root_policy, output_format, given | {"ignore": split(ignore)})
        return
    asks = bool(workspace or environment or mlflow or unity_catalog or warehouse)
    _check_given(snapshot or [], as_of, asks=asks, compares_with_nothing=fail_on_new and history is None)
    declared = live.declared_by(repository, policy, wanted=not no_repository)
    planes = frozenset({"deployed", "observed"} | ({"declared"} if declared else set()))
    if snapshot:
        snapshots = [read_snapshot(file, to_judge=True) for file in snapshot]
    else:
        others = live.beside(root_policy, live.servers_of(split(mlflow)), declared, live.servers_of(split(unity_catalog)))
        urls = live.workspaces_of(root_policy, split(workspace), split(environment), others.urls)
        chosen = select_rules(
            rules_under(root_policy), root_policy, profile or root_policy.profile, select=split(select), ignore=split(ignore)
        )
        wanted = tables_needed(chosen.asked, live.everything_wanted(others) | frozenset(CLOSED), planes)
        snapshots = [
            live.read_workspaces(
                urls, split(auth_profile), live.and_of_hosts(wanted, others, declared), others=others, warehouses=split(warehouse)
            )
        ]
        say_requests(snapshots[0].header.requests, by_family="requests" in shown)
    today = live.today_of(snapshots, as_of)
    seen = live.joined(snapshots, list(map(str, snapshot or [])), root_policy if snapshot else None, today)
    filled = seen.filled | attested(seen.facts, root_policy, attestations)
    judged = live.audited(root_policy, seen.facts, filled, declared)
    wishes = Wishes(
        profile=profile,
        select=split(select),
        ignore=split(ignore),
        fail_on=fail_on,
        fail_confidence=fail_confidence,
        use_baseline=False,
        show=shown - {"requests"},
        today=today,
        incomplete=seen.incomplete,
        notes=seen.accepted,
    )
    result = judge_repository(judged, wishes)
    if history is not None:
        from lakewarden.cli.past import with_history

        result = with_history(result, history, today, live.sight_in(seen, snapshots), fail_on_new=fail_on_new)
    write_reports(result, targets, wishes.show, color, limit, counted=statistics)
    raise typer.Exit(
        ExitCode.CLEAN if exit_zero or (allow_empty and result.exit_code == ExitCode.NOTHING_CHECKED) else result.exit_code
    )


def _check_given(snapshots: list[Path], as_of: str | None, *, asks: bool, compares_with_nothing: bool) -> None:
    """Refuse options that do not go together; `asks` says whether a workspace or a server is named beside snapshots."""
    from lakewarden.errors import UsageError

    if compares_with_nothing:
        raise UsageError("--fail-on-new needs an audit to compare with", "give one with --history FILE")
    if snapshots and asks:
        raise UsageError(
            "--snapshot is judged without asking a workspace",
            "leave out --workspace, --mlflow, --unity-catalog, --environment and --warehouse",
        )
    if len(set(snapshots)) < len(snapshots):
        raise UsageError("the same snapshot is given twice", "give each once")
    if as_of is not None and not snapshots:
        raise UsageError("--as-of is about snapshots", "give one with --snapshot FILE")
