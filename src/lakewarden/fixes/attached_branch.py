"""GIT004: attach the branch before a deployment, where CI checks out a commit alone (GitLab, Azure Pipelines)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lakewarden.fixes.edit import Edit, LeftAloneError
from lakewarden.fixes.fix import Change, Fix, Look, one

if TYPE_CHECKING:
    from lakewarden.fixes.page import Page, Spot
    from lakewarden.judge.result import Finding

_ATTACH = {
    "gitlab": 'git checkout -B "$CI_COMMIT_BRANCH"',
    "azure": 'git checkout -B "${BUILD_SOURCEBRANCH#refs/heads/}"',
}
_STEP = re.compile(r"(.*\bsteps)\[(\d+)\]\.(bash|script)")
_ITEM = re.compile(r"(.*)\[(\d+)\]")
_BRANCHES = frozenset({"release", "default", "other"})
#: What makes a command go on to the next line.
_GOES_ON = ("\\", "&&", "||", "|", "(", "{", "then", "do", "else")


def _make(finding: Finding, look: Look, page: Page) -> Change:
    key = str(look.row("ci_deployments", finding.subject).get("ci_job"))
    job = look.row("ci_jobs", key)["origin"]
    at = finding.origin
    system = _system(job.path or "")
    if at is None or at.line is None or at.path != job.path:
        raise LeftAloneError("its command stands in a file that other jobs may share")
    if system == "gitlab":
        _check_reach(look, key)
    pointer, spot = _command(page, at.line)
    if job.pointer and not pointer.startswith(f"{job.pointer}."):
        raise LeftAloneError("its command stands where other jobs may share it")
    edit = _inside(page, spot, at.line, _ATTACH[system]) or _before(page, pointer, _ATTACH[system])
    return one(edit, f"attach the branch before {finding.target} is deployed")._replace(once=key)


def _system(path: str) -> str:
    if ".gitlab-ci" in path:
        return "gitlab"
    if not path.startswith(".github/") and path.endswith((".yml", ".yaml")):
        return "azure"
    raise LeftAloneError("which branch it is that was checked out, no variable of the CI system tells")


def _check_reach(look: Look, job: str) -> None:
    """GitLab names the branch in pipelines of branches alone: elsewhere the command would fail."""
    reach = look.rows("ci_reach", ci_job=job)
    of_branches = [row.get("event") == "push" or row.get("ref_class") in _BRANCHES for row in reach]
    if not all(of_branches) or not reach or any(row.get("event") in ("tag", "merge_request") for row in reach):
        raise LeftAloneError("its job runs for tags or merge requests too, which have no branch to attach")


def _command(page: Page, line: int) -> tuple[str, Spot]:
    """The text that a line belongs to."""
    for pointer, spot in page.spots.items():
        if page.pick(spot) is not None and spot.node.start_mark.line < line <= page.last_line(spot) + 1:
            return pointer, spot
    raise LeftAloneError("its command does not stand in this file")


def _inside(page: Page, spot: Spot, line: int, command: str) -> Edit | None:
    """A line before that of the command, in a text of several lines; None where it is one of one line."""
    if getattr(spot.node, "style", None) != "|":
        return None
    first = spot.node.start_mark.line + 1
    before = page.line(line - 2).strip() if line - 1 > first else ""
    if before.endswith(_GOES_ON):
        raise LeftAloneError("its command is part of another one")
    return page.insert_line(spot, line - 1, command)


def _before(page: Page, pointer: str, command: str) -> Edit:
    """A command, or a step, before that which is one alone."""
    step, item = _STEP.fullmatch(pointer), _ITEM.fullmatch(pointer)
    if step is not None:
        return page.insert_item(page.above(step[1]), {"bash": command}, int(step[2]))
    if item is not None:
        return page.insert_item(page.above(item[1]), command, int(item[2]))
    raise LeftAloneError("its script is one command and no list")


FIX = Fix("GIT004", ("needed", "attached"), _make)
