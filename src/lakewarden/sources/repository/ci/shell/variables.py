"""Variables that CI systems set themselves: what each holds is decided by how the workflow was started."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lakewarden.sources.repository.ci.workflow import HOLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakewarden.sources.repository.ci.workflow import Situation

#: Events of code that asks to be merged.
PULL_REQUESTS = frozenset({"pull_request", "pull_request_target", "merge_request"})

_HEADS, _TAGS = "refs/heads/", "refs/tags/"
_MARK = re.compile("\1(\\w+)\2")
_EXPRESSION = re.compile(r"\$\{\{\s*(github\.(?:ref|ref_name|ref_type|event_name|base_ref))\s*\}\}")
_ON_GITHUB = {"tag": "push", "manual": "workflow_dispatch"}
_ON_GITLAB = {"tag": "push", "merge_request": "merge_request_event", "manual": "web"}
_ON_AZURE = {
    "push": "IndividualCI",
    "tag": "IndividualCI",
    "pull_request": "PullRequest",
    "manual": "Manual",
    "schedule": "Schedule",
}


def _branch(situation: Situation) -> str:
    return situation.ref.removeprefix(_HEADS) if situation.ref.startswith(_HEADS) else ""


def _tag(situation: Situation) -> str:
    return situation.ref.removeprefix(_TAGS) if situation.ref.startswith(_TAGS) else ""


def _name(situation: Situation) -> str | None:
    if situation.event == "merge_request":
        return None  # the name of the source branch
    return situation.ref.removeprefix(_HEADS).removeprefix(_TAGS).removeprefix("refs/pull/")


_VALUES: dict[str, Callable[[Situation], str | None]] = {
    "GITHUB_REF": lambda at: at.ref,
    "GITHUB_REF_NAME": _name,
    "GITHUB_REF_TYPE": lambda at: "tag" if at.ref.startswith(_TAGS) else "branch",
    "GITHUB_EVENT_NAME": lambda at: _ON_GITHUB.get(at.event, at.event),
    "GITHUB_BASE_REF": lambda at: at.base,
    "CI_COMMIT_BRANCH": _branch,
    "CI_COMMIT_TAG": _tag,
    "CI_COMMIT_REF_NAME": _name,
    "CI_PIPELINE_SOURCE": lambda at: _ON_GITLAB.get(at.event, at.event),
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": lambda at: at.base,
    "BUILD_SOURCEBRANCH": lambda at: at.ref,
    "BUILD_SOURCEBRANCHNAME": lambda at: at.ref.rpartition("/")[2],
    "BUILD_REASON": lambda at: _ON_AZURE.get(at.event),
    "SYSTEM_PULLREQUEST_TARGETBRANCH": lambda at: f"{_HEADS}{at.base}" if at.base else "",
}
#: Where a repository is checked out.
ROOTS = frozenset(
    {
        "GITHUB_WORKSPACE",
        "CI_PROJECT_DIR",
        "BUILD_SOURCESDIRECTORY",
        "SYSTEM_DEFAULTWORKINGDIRECTORY",
        "BUILD_REPOSITORY_LOCALPATH",
    }
)
_SHORTER = {"GITHUB_REF": "GITHUB_REF_NAME", "BUILD_SOURCEBRANCH": "CI_COMMIT_BRANCH"}


def mark(name: str) -> str | None:
    """The text that stands for a variable of this name; None where the CI system sets none."""
    name = name.upper().replace(".", "_")
    return f"\1{name}\2" if name in _VALUES else None


def marked(text: str) -> str:
    """A text with the expressions of GitHub that a situation decides marked, and all others unknown."""
    if "${{" not in text:
        return text
    text = _EXPRESSION.sub(lambda found: mark(found[1]) or HOLE, text)
    return re.sub(r"\$\{\{.*?(?:\}\}|$)", HOLE, text, flags=re.DOTALL)


def without_prefix(text: str) -> str | None:
    """The mark for a ref without `refs/heads/`."""
    found = _MARK.fullmatch(text)
    return f"\1{_SHORTER[found[1]]}\2" if found and found[1] in _SHORTER else None


def is_marked(text: str) -> bool:
    """Does it hold what a situation decides?"""
    return "\1" in text


def settled(text: str, situation: Situation) -> str | None:
    """The text in one situation; None where it is not known."""
    if HOLE in text:
        return None
    if "\1" not in text:
        return text
    values = {name: _VALUES[name](situation) if name in _VALUES else None for name in _MARK.findall(text)}
    if None in values.values():
        return None
    return _MARK.sub(lambda found: values[found[1]] or "", text)
