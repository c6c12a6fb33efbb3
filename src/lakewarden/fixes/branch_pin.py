"""GIT003: pin the production target to the release branch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.fixes.edit import LeftAloneError
from lakewarden.fixes.fix import YAML, Change, Fix, Look, one

if TYPE_CHECKING:
    from lakewarden.fixes.page import Page
    from lakewarden.judge.result import Finding


def _make(finding: Finding, look: Look, page: Page) -> Change:
    target = page.at(finding.origin)
    deployments = look.rows("ci_deployments", target=finding.subject, action="deploy")
    jobs = {row.get("ci_job") for row in deployments}
    for reach in look.rows("ci_reach"):
        if reach["ci_job"] in jobs and reach.get("event") == "push" and reach.get("ref_class") != "release":
            raise LeftAloneError(f"{reach['ci_job']} deploys it from branches that are no release branch")
    origins = [row["origin"] for row in (*deployments, *(job for job in look.rows("ci_jobs") if job["key"] in jobs))]
    branch = look.release_branch(finding.project, sorted({at.path for at in origins if at.path and at.path.endswith(YAML)}))
    git = page.child(target, "git")
    if git is None:
        edit = page.insert(target, "git", {"branch": branch}, after=("mode", "default"))
    elif page.child(git, "branch") is None:
        edit = page.insert(git, "branch", branch)
    else:
        raise LeftAloneError("git.branch is there and pins nothing")
    return one(edit, f"pin target {finding.target} to branch {branch}")


FIX = Fix("GIT003", ("pinned",), _make)
