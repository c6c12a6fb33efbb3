"""`lakewarden collect`: read live workspaces into a file that can be judged without them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from lakewarden.cli.options import (
    AuthProfile,
    InEnvironment,
    OfMlflow,
    OfUnityCatalog,
    OfWarehouse,
    OfWorkspace,
    PolicyFile,
    split,
)

if TYPE_CHECKING:
    from lakewarden.facts.snapshot import Snapshot

_MOST = 10


def collect(
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.", metavar="FILE")],
    workspace: OfWorkspace = None,
    mlflow: OfMlflow = None,
    unity_catalog: OfUnityCatalog = None,
    auth_profile: AuthProfile = None,
    environment: InEnvironment = None,
    warehouse: OfWarehouse = None,
    policy: PolicyFile = None,
    resume: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Go on with this snapshot, which was broken off; its workspaces are read.", metavar="FILE"),
    ] = None,
    share: Annotated[
        bool, typer.Option("--share", help="Leave out runs and names of people, so that others may have the file.")
    ] = False,
    show: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="Show more: requests, by kind of API.", metavar="WHAT"),
    ] = None,
) -> None:
    """Read workspaces into a snapshot: facts and what could not be seen, no verdicts and no secrets.

    Judge it with `lakewarden audit --snapshot FILE`. Ctrl-C and SIGTERM write what was read until
    then; --resume goes on with it.
    Exit codes: 0 everything was read, 2 usage, 3 something was not.
    """
    from lakewarden.cli import live
    from lakewarden.cli.progress import say_requests
    from lakewarden.cli.stopping import stoppable
    from lakewarden.errors import ExitCode, UsageError
    from lakewarden.facts.share import about_runs, shared
    from lakewarden.facts.snapshot import write

    if wrong := set(split(show)) - {"requests"}:
        raise UsageError(f"--show {min(wrong)} shows nothing", "there is: requests")
    before = _broken_off(resume, given=bool(workspace or environment or mlflow or unity_catalog))
    root_policy = live.policy_of(policy)
    servers = live.servers_of(before.header.servers if before is not None else split(mlflow))
    catalogs = live.servers_of(before.header.catalogs if before is not None else split(unity_catalog))
    others = live.beside(root_policy, servers, catalogs=catalogs)
    if before is not None:
        urls = list(before.header.workspaces)
    else:
        urls = live.workspaces_of(root_policy, split(workspace), split(environment), others.urls)
    wanted = live.everything_wanted(others) - (about_runs() if share else frozenset())
    with stoppable():
        read = live.read_workspaces(
            urls, split(auth_profile), wanted, before, others, keep_partial=True, warehouses=split(warehouse)
        )
        say_requests(read.header.requests, by_family="requests" in split(show))
        facts = shared(read.facts) if share else read.facts
        write(output, read.header._replace(shared=share), facts)
    raise typer.Exit(ExitCode.CLEAN if _say(output, read._replace(facts=facts)) else ExitCode.INCOMPLETE)


def _broken_off(file: Path | None, *, given: bool) -> Snapshot | None:
    """The snapshot to go on with."""
    from lakewarden import __version__
    from lakewarden.errors import UsageError
    from lakewarden.facts.snapshot import read

    if file is None:
        return None
    if given:
        raise UsageError(
            "--resume reads the workspaces of the snapshot", "leave out --workspace, --mlflow, --unity-catalog and --environment"
        )
    found = read(file)
    if not found.header.partial:
        raise UsageError(f"{file} is whole: there is nothing to go on with", "collect anew: leave out --resume")
    if found.header.shared:
        raise UsageError(f"{file} was collected with --share: what it left out is needed to go on", "collect anew")
    if found.header.version != __version__:
        raise UsageError(f"{file} was written by lakewarden {found.header.version}, this is {__version__}", "collect anew")
    return found


def _say(output: Path, read: Snapshot) -> bool:
    """Tell what is in the snapshot and what is not; is it whole?"""
    from lakewarden.facts.gaps import INCOMPLETE
    from lakewarden.judge.decidable import spoken
    from lakewarden.reports.escape import clean
    from lakewarden.reports.page import many, names

    unseen = [gap for gap in read.facts.gaps if gap.cause in INCOMPLETE]
    rows = sum(map(len, read.facts.rows.values()))
    places = len(read.header.workspaces) + len(read.header.servers) + len(read.header.catalogs)
    told = f"{output}: {many(rows, 'fact')} of {many(places, 'workspace')}"
    if unseen or not read.header.partial:  # of one that was broken off nobody knows how many lists are missing
        told += f"; {many(len(unseen), 'list')} could not be read to the end" if unseen else "; every list was read"
    typer.echo(told)
    if read.header.partial:
        typer.echo(f"  it is partial: {clean(read.header.partial)}; go on: lakewarden collect --resume {output} -o {output}")
    lists: dict[tuple[str, str], list[str]] = {}
    for gap in unseen:
        lists.setdefault((gap.reason, gap.remedy), []).append(gap.facts.replace("_", " "))
    for (reason, remedy), tables in list(lists.items())[:_MOST]:
        typer.echo(clean(f"  {names(dict.fromkeys(tables))}: {reason.rstrip('.')}" + (f"; {spoken(remedy)}" if remedy else "")))
    if len(lists) > _MOST:
        rest = sum(map(len, list(lists.values())[_MOST:]))
        typer.echo(f"  and {rest:,} more: lakewarden audit --snapshot {output} --show gaps")
    return not (unseen or read.header.partial)
