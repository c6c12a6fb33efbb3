"""`lakewarden promotions`: every change of what production serves, and the attestation that allowed it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple, Optional

import typer

from lakewarden.cli.options import AuthProfile, OfMlflow, OfWarehouse, OfWorkspace, OutputTable, PolicyFile, Table, split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lakewarden.facts.snapshot import Snapshot
    from lakewarden.gate.attested import Statement
    from lakewarden.gate.promotions.moves import Move
    from lakewarden.gate.promotions.views import Event, Span, View
    from lakewarden.policy.model import Policy

_MARKS = {True: "✗", False: "✓"}
#: What tells what is served, and what tells of changes.
WANTED = frozenset({"catalogs", "models", "model_aliases", "model_versions", "served_entities"})
MOVES = frozenset({"served_moves", "move_logs"})


class _Seen(NamedTuple):
    """What the sources show: what was served at times, changes, the time of which logs tell, and why others do not."""

    views: list[View]
    events: list[Event]
    spans: list[Span]
    problems: list[str]


def promotions(
    since: Annotated[str, typer.Option(help="The first day, or a time with its zone.", metavar="D")],
    until: Annotated[str, typer.Option(help="The last day, or a time with its zone.", metavar="D")],
    snapshot: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Option(help="A snapshot of `lakewarden collect`; may be repeated.", metavar="FILE"),
    ] = None,
    history: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="What `lakewarden audit --history` keeps: a DuckDB file, or delta:FOLDER.", metavar="FILE"),
    ] = None,
    workspace: OfWorkspace = None,
    mlflow: OfMlflow = None,
    auth_profile: AuthProfile = None,
    warehouse: OfWarehouse = None,
    attestations: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="The folder of attestations; otherwise `gate.attestations` of the policy.", metavar="DIR"),
    ] = None,
    policy: PolicyFile = None,
    sample: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(help="Write the evidence of so many moves to the folder --output.", min=1, metavar="N"),
    ] = None,
    seed: Annotated[str, typer.Option(help="Which moves a sample takes: the same seed takes the same.", metavar="S")] = "0",
    output: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="The folder of the sample.", metavar="DIR"),
    ] = None,
    output_format: OutputTable = Table.TEXT,
) -> None:
    """List each change of what a champion alias, an endpoint or the stage Production names, with what was attested before it.

    Snapshots and a history show what changed between two of them. With --workspace and --warehouse the audit log tells each
    change, who made it and when. What no source shows is told, and is no empty list.
    Exit codes: 0 each was attested, 1 one was not, 2 usage or policy, 3 something could not be seen.
    """
    from lakewarden.cli import live
    from lakewarden.errors import ExitCode, UsageError
    from lakewarden.gate.promotions.coverage import unseen_of
    from lakewarden.gate.promotions.evidence import write_sample
    from lakewarden.gate.promotions.moves import moves_of, sample_of

    if (sample is None) != (output is None):
        raise UsageError("a sample needs its folder", "give --sample N and --output DIR together")
    is_live = bool(workspace or mlflow or warehouse or auth_profile)
    if not snapshot and history is None and not is_live:
        raise UsageError("nothing says what production served", "give --snapshot FILE, --history FILE or --workspace URL")
    begin, end = _time(since, "--since", last=False), _time(until, "--until", last=True)
    if end < begin:
        raise UsageError("--until is before --since", "exchange them")
    root_policy = live.policy_of(policy)
    seen = _of_files(snapshot or [], history, root_policy)
    if is_live:
        read = _read(root_policy, split(workspace), split(mlflow), split(auth_profile), split(warehouse))
        seen = _with_snapshot(seen, read, "registry now", root_policy)
    folders, statements, problems = _attested(root_policy, attestations)
    days = root_policy.attestation.max_age_days
    moves = [
        move
        for move in moves_of(seen.views, seen.events, statements, None if days is None else dt.timedelta(days=days))
        if _is_in(dt.datetime.fromisoformat(move.since), dt.datetime.fromisoformat(move.until), begin, end)
    ]
    unseen = unseen_of(seen.views, seen.spans, seen.events, begin, end)
    problems += unseen + (seen.problems if unseen else [])
    if output is not None and sample is not None:
        write_sample(sample_of(moves, sample, seed), output, folders, seed, seen.views, seen.events)
    _say(moves, problems, output_format)
    failed = any(move.is_error for move in moves)
    raise typer.Exit(ExitCode.FINDINGS if failed else ExitCode.INCOMPLETE if problems else ExitCode.CLEAN)


def _of_files(snapshots: Sequence[Path], history: str | None, policy: Policy) -> _Seen:
    """What snapshots and a history show."""
    from lakewarden.facts.snapshot import read
    from lakewarden.gate.promotions.views import view_of
    from lakewarden.judge.history import open_history, sights

    seen = _Seen([], [], [], [])
    for file in dict.fromkeys(snapshots):
        seen = _with_snapshot(seen, read(file), f"snapshot {file}", policy)
    if history is not None:
        from lakewarden.errors import UsageError

        if not history.startswith("delta:") and not Path(history).is_file():
            raise UsageError(f"there is no history {history}", "write one: lakewarden audit --history FILE")
        kept = [view_of(one, f"history {history}", policy) for one in sights(open_history(history), history)]
        if not kept:
            seen.problems.append(f"the history {history} holds no audit that kept what was served")
        seen.views.extend(kept)
    return seen


def _with_snapshot(seen: _Seen, snapshot: Snapshot, name: str, policy: Policy) -> _Seen:
    """The same with what a snapshot shows, and what it holds of audit logs."""
    from lakewarden.facts.estate.sight import sight_of, told_of
    from lakewarden.gate.promotions.views import events_of, joined, span_of, view_of

    header, log = snapshot.header, f"audit log in {name}"
    partial = (f"it is partial: {header.partial}",) if header.partial else ()
    told, logs, why = told_of(snapshot.facts)
    sight = sight_of(snapshot.facts, header.begun, header.ended, frozenset(header.filled), partial)
    return _Seen(
        [*seen.views, view_of(sight, name, policy)],
        joined([*seen.events, *events_of(told, log, policy)]),
        [*seen.spans, *(span_of(one, log, told) for one in logs)],
        [*seen.problems, *(f"{name}: {reason}" for reason in why)],
    )


def _read(
    policy: Policy, workspaces: Sequence[str], mlflow: Sequence[str], profiles: Sequence[str], warehouses: Sequence[str]
) -> Snapshot:
    """What is served now, and what the audit log tells."""
    from lakewarden.cli import live

    others = live.beside(policy, live.servers_of(mlflow))._replace(repositories=())
    urls = live.workspaces_of(policy, workspaces, (), others.urls)
    wanted = WANTED | (MOVES if warehouses else frozenset())
    return live.read_workspaces(urls, profiles, wanted, others=others, warehouses=warehouses)


def _attested(policy: Policy, given: Path | None) -> tuple[list[Path], list[Statement], list[str]]:
    """The folders of attestations, what was attested, and what could not be read of it."""
    from lakewarden.cli import gating
    from lakewarden.gate.attested import archive_of

    base, said = gating.base_of(policy), (project.gate.attestations for project in policy.projects)
    of_policy = (gating.attestations_of(policy, "", None), *(base / one for one in said if one is not None))
    folders = list(dict.fromkeys((given,) if given is not None else of_policy))
    statements: list[Statement] = []
    problems: list[str] = []
    for folder in folders:
        archive = archive_of(folder, policy, of_any_age=True)
        statements += archive.statements
        problems += [] if archive.problem is None else [archive.problem.reason]
        problems += [] if folder.is_dir() else [f"there is no folder of attestations {folder}"]
    return folders, statements, problems


def _is_in(since: dt.datetime, until: dt.datetime, begin: dt.datetime, end: dt.datetime) -> bool:
    """May a move be of this time? One that was seen between two times may be anywhere between them."""
    return begin <= since <= end if since == until else until > begin and since < end


def _time(text: str, option: str, *, last: bool) -> dt.datetime:
    from lakewarden.errors import UsageError
    from lakewarden.gate.attestation.verify import time_of

    found = time_of(text)
    if found is not None:
        return found
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} {text} is no day", "write it as YYYY-MM-DD, or as 2026-01-31T12:00:00Z") from None
    return dt.datetime.combine(day, dt.time.max if last else dt.time.min, tzinfo=dt.timezone.utc)


def _say(moves: Sequence[Move], problems: Sequence[str], form: Table) -> None:
    import json

    from lakewarden.gate.promotions.moves import as_told
    from lakewarden.reports.escape import clean
    from lakewarden.reports.page import many

    if form is Table.JSON:
        typer.echo(json.dumps({"version": 1, "moves": [as_told(move) for move in moves], "not_seen": list(problems)}, indent=2))
        return
    for move in moves:
        when = move.until if move.since == move.until else f"seen between {move.since} and {move.until}"
        verdict = "no attestation" if move.verdict == "none" else move.verdict
        typer.echo(clean(f"{_MARKS[move.is_error]} {move.name}: {move.before} → {move.after}: {verdict} {move.file}".rstrip()))
        by = f", by {move.by}" if move.by else ""
        typer.echo(clean(f"    {when}{by} ({', '.join(move.sources)})"))
    for line in problems:
        typer.echo(clean(f"? {line}"))
    wrong = sum(move.is_error for move in moves)
    typer.echo(
        f"{many(len(moves), 'move')}, {wrong} without an attestation that allows it; {many(len(problems), 'thing')} not seen"
    )
