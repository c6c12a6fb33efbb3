"""What `lakewarden init` takes from live workspaces: where each belongs, their catalogs, who runs jobs there, what was not seen."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.policy.attribute import stage_of_name
from lakewarden.policy.model import STAGES, Policy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lakewarden.facts.collect import Facts

_WANTED = frozenset({"workspaces", "catalogs", "bindings", "jobs"})
_MANY = 20


class Live(NamedTuple):
    """Workspaces with their stages (None: nothing says one), catalogs, service principals by stage, and what was not seen."""

    workspaces: dict[str, str | None]
    catalogs: list[str]
    principals: dict[str, set[str]]
    unseen: list[str]


def live(urls: Sequence[str], profiles: Sequence[str], known: Mapping[str, str]) -> Live:
    """Read the workspaces, by the login that `audit` uses. `known` are the stages that the repository tells of some."""
    from lakewarden.cli.live import read_workspaces, workspaces_of

    facts = read_workspaces(workspaces_of(Policy(), urls, ()), profiles, _WANTED).facts
    stages = {row.key: known.get(row.key) or _stage_by_catalogs(facts, row.key) for row in facts.rows["workspaces"]}
    if asking():
        stages = {url: stage or _ask(f"Which environment is {url}?") for url, stage in stages.items()}
    principals, several = _principals(facts, stages)
    unseen = [f"which environment {url} is" for url, stage in stages.items() if stage is None]
    unseen += [f"which environment the service principal {name} acts in: several, or none that is known" for name in several]
    gaps = list(dict.fromkeys(gap.reason + (f"; {gap.remedy}" if gap.remedy else "") for gap in facts.gaps))
    unseen += gaps[:_MANY] + ([f"and {len(gaps) - _MANY:,} more: lakewarden doctor"] if len(gaps) > _MANY else [])
    of_users = [row.__dict__ for row in facts.rows["catalogs"] if "SYSTEM" not in (row.__dict__.get("catalog_type") or "")]
    catalogs = sorted({row["name"] for row in of_users if row.get("name")})
    unseen += [f"which environment the catalog {name} is of" for name in catalogs if stage_of_name(Policy(), name) not in STAGES]
    return Live(stages, catalogs, principals, unseen)


def asking() -> bool:
    """Is there somebody who can be asked?"""
    from lakewarden.cli.session import in_ci

    return sys.stdin.isatty() and sys.stderr.isatty() and not in_ci()


def ask_release_branch() -> str | None:
    """The branch that production is deployed from, where no branch's name says it."""
    import typer

    return (
        typer.prompt("Which branch is deployed to production? (empty: not known)", default="", show_default=False, err=True)
        or None
    )


def _ask(question: str) -> str | None:
    import click
    import typer

    answer = typer.prompt(question, type=click.Choice([*STAGES, "none"]), default="none", err=True)
    return None if answer == "none" else str(answer)


def _stage_by_catalogs(facts: Facts, url: str) -> str | None:
    """The one stage of all catalogs that only chosen workspaces may write, this one among them; None for none, or several."""
    names = {row.key: row.__dict__.get("name") for row in facts.rows["catalogs"]}
    bound = [
        names.get(row.__dict__["securable"])
        for row in facts.rows["bindings"]
        if row.__dict__.get("workspace") == url and row.__dict__.get("binding_type") == "BINDING_TYPE_READ_WRITE"
    ]
    stages = {stage_of_name(Policy(), name) for name in bound if name}
    only = next(iter(stages)) if len(stages) == 1 else None
    return only if only in STAGES else None


def _principals(facts: Facts, stages: Mapping[str, str | None]) -> tuple[dict[str, set[str]], list[str]]:
    """Service principals that run jobs, by the stage of their workspaces; and those of several stages, or of none."""
    seen: dict[str, set[str | None]] = {}
    for row in facts.rows["jobs"]:
        job = row.__dict__
        if job.get("run_as_kind") == "service_principal" and job.get("run_as"):
            seen.setdefault(job["run_as"], set()).add(stages.get(job.get("place") or ""))
    found: dict[str, set[str]] = {}
    for name, of in seen.items():
        if len(of) == 1 and (stage := next(iter(of))) is not None:
            found.setdefault(stage, set()).add(name)
    return found, sorted(name for name, of in seen.items() if len(of) > 1 or None in of)
