"""`lakewarden promotions`: every change of what production serves, and the attestation that allowed it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from lakewarden.cli.options import OutputTable, PolicyFile, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lakewarden.gate.promotions.moves import Move, View

_MARKS = {True: "✗", False: "✓"}


def promotions(
    since: Annotated[str, typer.Option(help="The first day, or a time with its zone.", metavar="D")],
    until: Annotated[str, typer.Option(help="The last day, or a time with its zone.", metavar="D")],
    snapshot: Annotated[
        list[Path], typer.Option(help="A snapshot of `lakewarden collect`; repeat it, two or more.", metavar="FILE")
    ],
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
    """List each move of a champion alias or an endpoint that snapshots show, with the verdict that was attested before it.

    A move between two snapshots that is undone before the second is not seen.
    Exit codes: 0 each was attested, 1 one was not, 2 usage or policy, 3 something could not be seen.
    """
    from lakewarden.cli import gating, live
    from lakewarden.errors import ExitCode, UsageError
    from lakewarden.facts.snapshot import read
    from lakewarden.gate.attested import archive_of
    from lakewarden.gate.promotions.moves import moves_of, sample_of, view_of

    if (sample is None) != (output is None):
        raise UsageError("a sample needs its folder", "give --sample N and --output DIR together")
    begin, end = _time(since, "--since", last=False), _time(until, "--until", last=True)
    if end < begin:
        raise UsageError("--until is before --since", "exchange them")
    root_policy = live.policy_of(policy)
    folder = gating.attestations_of(root_policy, "", attestations)
    archive = archive_of(folder, root_policy)
    views: list[View] = []
    problems = [] if archive.problem is None else [archive.problem.reason]
    problems += [] if folder.is_dir() else [f"there is no folder of attestations {folder}"]
    for file in dict.fromkeys(snapshot):
        view, unseen = view_of(read(file), str(file), root_policy)
        views.append(view)
        problems += unseen
    views.sort(key=lambda one: one.time)
    problems += _uncovered(views, begin, end)
    moves = [
        move
        for move in moves_of(views, archive.statements)
        if dt.datetime.fromisoformat(move.until) > begin and dt.datetime.fromisoformat(move.since) < end
    ]
    if output is not None and sample is not None:
        _write_sample(sample_of(moves, sample, seed), output, folder, seed)
    _say(moves, problems, output_format)
    failed = any(move.is_error for move in moves)
    raise typer.Exit(ExitCode.FINDINGS if failed else ExitCode.INCOMPLETE if problems else ExitCode.CLEAN)


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


def _uncovered(views: Sequence[View], begin: dt.datetime, end: dt.datetime) -> list[str]:
    """The parts of the time that no two snapshots enclose."""
    first, last = views[0].time, views[-1].time
    found = [f"no snapshot shows what was served before {first.isoformat()}"] if first > begin else []
    return [*found, f"no snapshot shows what was served after {last.isoformat()}"] if last < end else found


def _write_sample(moves: Sequence[Move], output: Path, folder: Path, seed: str) -> None:
    """A folder for each move, with all that was stored about its version."""
    import json
    import shutil

    from lakewarden.errors import UsageError

    try:
        output.mkdir(parents=True, exist_ok=True)
        told = [{**move._asdict(), "error": move.is_error} for move in moves]
        (output / "sample.json").write_text(
            json.dumps({"version": 1, "seed": seed, "moves": told}, indent=2) + "\n", encoding="utf-8"
        )
        for number, move in enumerate(moves, start=1):
            into = output / str(number)
            into.mkdir(exist_ok=True)
            stem = move.file.partition(".vsa.")[0].partition(".svr.")[0]
            for file in sorted(folder.iterdir()) if stem else ():
                if file.name.startswith(f"{stem}."):
                    shutil.copyfile(file, into / file.name)
    except OSError as problem:
        raise UsageError(f"cannot write {output}: {problem.strerror}", "check the folder and its permissions") from None


def _say(moves: Sequence[Move], problems: Sequence[str], form: Table) -> None:
    import json

    from lakewarden.reports.escape import clean

    if form is Table.JSON:
        told = [{**move._asdict(), "error": move.is_error} for move in moves]
        typer.echo(json.dumps({"version": 1, "moves": told, "not_seen": list(problems)}, indent=2))
        return
    for move in moves:
        verdict = "no attestation" if move.verdict == "none" else move.verdict
        typer.echo(
            clean(
                f"{_MARKS[move.is_error]} {move.until} {move.name}: {move.before} → {move.after}: {verdict} {move.file}".rstrip()
            )
        )
    for line in problems:
        typer.echo(clean(f"? {line}"))
    typer.echo(f"{len(moves)} moves, {sum(move.is_error for move in moves)} without an attestation that allows them")
