"""`lakewarden doctor`: what an audit could decide with the rights at hand, and what would unlock the rest."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from lakewarden.cli.options import (
    AuthProfile,
    Color,
    InEnvironment,
    OfMlflow,
    OfProfile,
    OfUnityCatalog,
    OfWarehouse,
    OfWorkspace,
    PolicyFile,
    WhenColor,
    split,
)

if TYPE_CHECKING:
    from lakewarden.facts.snapshot import Snapshot
    from lakewarden.judge.decidable import Prospect
    from lakewarden.policy.model import Policy
    from lakewarden.rule import Profile
    from lakewarden.sources.platform.audit import Beside

#: So many objects of each list are asked: two, since one may be an exception.
_OBJECTS = 2


class Form(str, Enum):
    """What the unlocks are written as."""

    TEXT = "text"
    SQL = "sql"
    TERRAFORM = "terraform"
    JSON = "json"


def doctor(
    workspace: OfWorkspace = None,
    mlflow: OfMlflow = None,
    unity_catalog: OfUnityCatalog = None,
    auth_profile: AuthProfile = None,
    environment: InEnvironment = None,
    warehouse: OfWarehouse = None,
    snapshot: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Look at this snapshot instead of asking workspaces.", metavar="FILE"),
    ] = None,
    policy: PolicyFile = None,
    profile: OfProfile = None,
    select: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="Ask only about these rules: codes, beginnings of codes, names.", metavar="RULE"),
    ] = None,
    output_format: Annotated[Form, typer.Option("--output-format", help="Form of what would unlock rules.")] = Form.TEXT,
    check: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Exit 3 when less can be decided than this file says; it is written when not.", metavar="FILE"),
    ] = None,
    color: WhenColor = Color.AUTO,
) -> None:
    """Say before an audit which rules can be decided with the present rights, and which grants would unlock the others: in
    workspaces, on servers of MLflow, and on the Git hosts of the repositories that the policy's projects name.

    All catalogs are asked, and of each other list two objects. Exit codes: 0, 2 usage, 3 less than last
    time (--check), or nothing could be read.
    """
    import sys

    from lakewarden.cli import live
    from lakewarden.errors import ExitCode, UsageError
    from lakewarden.facts.snapshot import read
    from lakewarden.judge.decidable import prospect
    from lakewarden.judge.request import Wishes
    from lakewarden.judge.run import judge_repository
    from lakewarden.reports.options import options_for
    from lakewarden.reports.prospect import WRITERS

    root_policy = live.policy_of(policy)
    if snapshot is not None and (workspace or mlflow or unity_catalog or environment or warehouse):
        advice = "leave out --workspace, --mlflow, --unity-catalog, --environment and --warehouse"
        raise UsageError("--snapshot is looked at without asking a workspace", advice)
    if snapshot is not None:
        seen = read(snapshot)
        note = f"Of everything that {snapshot} holds, which was begun on {seen.header.begun[:10]}."
    else:
        others = live.beside(root_policy, live.servers_of(split(mlflow)), None, live.servers_of(split(unity_catalog)))
        seen = _sampled(root_policy, workspace, others, auth_profile, environment, profile, select, split(warehouse))
        requests = sum(seen.header.requests.values())
        note = (
            f"From a sample, by {requests:,} requests: all catalogs, of other lists {_OBJECTS} objects each. An audit may meet "
            "refusals elsewhere; numbers are of the sample."
        )
    facts, could = live.joined([seen])[:2]
    wishes = Wishes(profile=profile, select=split(select), use_baseline=False, today=live.today_of([seen], None))
    found = prospect(judge_repository(live.audited(root_policy, facts, could, None), wishes))
    worse = _worse(check, found) if check is not None else []
    WRITERS[output_format.value](found, note, sys.stdout, options_for(sys.stdout, color.value))
    for told in worse:
        typer.echo(f"less than last time: {told}", err=True)
    # A workspace that does not answer has its row, and nothing else is known of it.
    read_nothing = sum(map(len, seen.facts.rows.values())) == len(seen.facts.rows["workspaces"])
    if read_nothing:
        typer.echo("nothing could be read: no workspace answered, or none takes this login", err=True)
    raise typer.Exit(ExitCode.INCOMPLETE if worse or read_nothing else ExitCode.CLEAN)


def _sampled(
    policy: Policy,
    workspace: list[str] | None,
    beside: Beside,
    auth_profile: list[str] | None,
    environment: list[str] | None,
    profile: Profile | None,
    select: list[str] | None,
    warehouses: tuple[str, ...],
) -> Snapshot:
    """Read a few objects of each kind that the enabled rules need."""
    from lakewarden.cli import live
    from lakewarden.facts.estate.close import CLOSED
    from lakewarden.judge.catalogue import rules_under
    from lakewarden.judge.judge import tables_needed
    from lakewarden.judge.selection import select_rules

    others = live.sampled(beside, _OBJECTS)
    urls = live.workspaces_of(policy, split(workspace), split(environment), others.urls)
    chosen = select_rules(rules_under(policy), policy, profile or policy.profile, select=split(select))
    wanted = tables_needed(chosen.asked, live.everything_wanted(others) | frozenset(CLOSED), frozenset({"deployed", "observed"}))
    return live.read_workspaces(urls, split(auth_profile), wanted, others=others, sample=_OBJECTS, warehouses=warehouses)


def _worse(file: Path, found: Prospect) -> list[str]:
    """What can no longer be decided; when nothing is, the file is written anew."""
    import json

    from lakewarden.errors import UsageError
    from lakewarden.judge.decidable import less
    from lakewarden.reports.prospect import document

    worse: list[str] = []
    try:
        if file.exists():
            known: Any = json.loads(file.read_text(encoding="utf-8"))
            before = {rule["code"]: (rule["state"], rule["judged"], rule["unseen"]) for rule in known["rules"]}
            worse = less(before, found)
        if not worse:
            file.write_text(json.dumps(document(found), indent=1) + "\n", encoding="utf-8")
    except OSError as problem:
        raise UsageError(f"cannot use {file}: {problem.strerror}", "check the folder and its permissions") from None
    except (ValueError, KeyError, TypeError) as problem:
        raise UsageError(f"{file} was not written by `lakewarden doctor --check`", "name another file") from problem
    return worse
