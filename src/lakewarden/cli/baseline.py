"""`lakewarden baseline`: record the findings of today, so that only new ones fail."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import Annotated, Optional

import typer

from lakewarden.cli.options import BundleJson, Paths, PolicyFile

DEFAULT = ".lakewarden-baseline.json"


class Action(str, Enum):
    """What to do with the baseline."""

    WRITE = "write"
    CHECK = "check"
    PRUNE = "prune"


def baseline(
    action: Annotated[Action, typer.Argument(help="write it, check it for stale entries, or prune those.")],
    paths: Paths = None,
    policy: PolicyFile = None,
    file: Annotated[
        Optional[Path], typer.Option(help=f"The baseline; otherwise the policy's, else {DEFAULT}.", metavar="FILE")  # noqa: UP045
    ] = None,
    bundle_json: BundleJson = None,
) -> None:
    """Record today's findings, check which entries are stale (exit 1 if any), or remove those.

    A baseline passes over what was there when it was written. It never silences an audit or a gate.
    """
    from lakewarden.cli.session import read
    from lakewarden.errors import ExitCode
    from lakewarden.judge.baseline import Baseline
    from lakewarden.judge.request import Wishes
    from lakewarden.judge.run import judge_repository
    from lakewarden.sources.discovery import Scope

    # A baseline is of the whole repository: an entry that was not looked at must not be taken for stale.
    repository = replace(read(paths or [], policy, bundle_json=bundle_json or []), scope=Scope())
    place = file or repository.root / (repository.policy.baseline or DEFAULT)
    result = judge_repository(repository, Wishes(use_baseline=False, show=frozenset({"unknown", "advisory"})))
    if action is Action.WRITE:
        recorded = Baseline.of(result.findings)
        recorded.write(place)
        typer.echo(f"recorded {recorded.total} findings in {place.name}")
        if repository.policy.baseline is None and file is None:
            typer.echo(f'name it in lakewarden.toml: baseline = "{place.name}"')
        return
    old = Baseline.load(place)
    stale = old.stale(result.findings, result.complete_rules)
    for entry in stale:
        typer.echo(f"stale: {entry.code} {entry.subject} ({entry.count})")
    if action is Action.PRUNE:
        old.pruned(result.findings, result.complete_rules).write(place)
        typer.echo(f"removed {len(stale)} stale entries from {place.name}")
    else:
        typer.echo(f"{len(stale)} of {len(old.entries)} entries of {place.name} are stale")
        raise typer.Exit(ExitCode.FINDINGS if stale else ExitCode.CLEAN)
