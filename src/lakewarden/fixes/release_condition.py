"""GIT002: let a job of GitHub Actions that deploys production run for the release branch alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lakewarden.fixes.edit import LeftAloneError
from lakewarden.fixes.fix import Change, Fix, Look, one

if TYPE_CHECKING:
    from lakewarden.facts.origin import Origin
    from lakewarden.fixes.page import Page
    from lakewarden.judge.result import Finding

_STEP = re.compile(r"(jobs\.[A-Za-z_][A-Za-z0-9_-]*)\.steps\[\d+\]")
#: Events for which `github.ref` names the branch that is built.
_OF_BRANCHES = frozenset({"push", "manual", "schedule"})


def _make(finding: Finding, look: Look, page: Page) -> Change:
    at = finding.origin
    step = _STEP.fullmatch(at.pointer or "") if at is not None else None
    if at is None or step is None or not (at.path or "").startswith(".github/workflows/"):
        raise LeftAloneError("it is not a step of a workflow of GitHub Actions")
    job = page.above(step[1])
    if page.child(job, "if") is not None:
        raise LeftAloneError("its job has a condition already")
    branch = look.release_branch(finding.project, [at.path or ""])
    in_job = [row for row in look.rows("ci_deployments") if _stands_in(row["origin"], at, step[1])]
    if any(look.stage("ci_deployments", row) != "production" for row in in_job):
        raise LeftAloneError("its job deploys other stages too")
    jobs = {row["key"] for row in look.rows("ci_jobs") if _stands_in(row["origin"], at, step[1])}
    reach = [row for row in look.rows("ci_reach") if row["ci_job"] in jobs]
    if not reach or any(row.get("event") not in _OF_BRANCHES for row in reach):
        raise LeftAloneError("its job runs for tags, for pull requests or when others call it, and a condition would end that")
    if not any(row.get("ref_class") in ("release", "any") for row in reach):
        raise LeftAloneError("its job never runs for the release branch, and would not run at all")
    name = job.key.value if job.key is not None else ""
    edit = page.insert(job, "if", f"github.ref == 'refs/heads/{branch}'", after=("name",))
    return one(edit, f"let job {name} run for branch {branch} alone")


def _stands_in(origin: Origin | None, at: Origin, job: str) -> bool:
    """Is it of this job? What is known of one job under several conditions has several keys."""
    return origin is not None and origin.path == at.path and f"{origin.pointer or ''}.".startswith(f"{job}.")


FIX = Fix("GIT002", ("released",), _make)
