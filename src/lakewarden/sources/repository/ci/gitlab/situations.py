"""What the variables of GitLab say in a situation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.ci.gitlab.values import Default, Set, Unknown, Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakewarden.sources.repository.ci.workflow import Situation

_HEADS, _TAGS = "refs/heads/", "refs/tags/"
_SOURCES = {
    "push": ("push",),
    "tag": ("push",),
    "merge_request": ("merge_request_event",),
    "schedule": ("schedule",),
    "manual": ("web", "api", "trigger", "pipeline", "chat"),
}
#: Names that the default branch often has.
USUAL = frozenset({"main", "master", "trunk", "mainline", "default", "develop", "development", "dev"})

_CHOSEN = frozenset(
    {
        "CI_COMMIT_MESSAGE", "CI_COMMIT_TITLE", "CI_COMMIT_DESCRIPTION", "CI_COMMIT_TAG_MESSAGE", "CI_OPEN_MERGE_REQUESTS",
        "CI_COMMIT_DRAFT",
    }
)  # fmt: skip
_IN_REQUEST = frozenset(
    {
        "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_MERGE_REQUEST_LABELS", "CI_MERGE_REQUEST_TITLE", "CI_MERGE_REQUEST_DRAFT",
        "CI_MERGE_REQUEST_DESCRIPTION", "CI_MERGE_REQUEST_ASSIGNEES", "CI_MERGE_REQUEST_MILESTONE",
        "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID",
    }
)  # fmt: skip
_TARGET = frozenset({"CI_MERGE_REQUEST_TARGET_BRANCH_NAME"})
_ALWAYS = {"CI": "true", "GITLAB_CI": "true"}
_SOMETHING = re.compile(
    r"CI_(?:COMMIT_(?:SHA|SHORT_SHA|REF_SLUG|AUTHOR|TIMESTAMP|BEFORE_SHA)|PROJECT_\w+|PIPELINE_(?:ID|IID|URL)|SERVER\w*)"
)


class Start(NamedTuple):
    """How a pipeline is started: the situation, and the word of GitLab for where it comes from. `child`: by another pipeline
    of the same project. `perhaps_default` are the names that the default branch may have.
    """

    situation: Situation
    source: str
    perhaps_default: frozenset[str]
    child: bool = False

    @property
    def branch(self) -> str | None:
        """The branch that is built; None for tags and merge requests."""
        ref = self.situation.ref
        return ref.removeprefix(_HEADS) if not self.is_request and ref.startswith(_HEADS) else None

    @property
    def tag(self) -> str | None:
        """The tag that is built."""
        ref = self.situation.ref
        return ref.removeprefix(_TAGS) if not self.is_request and ref.startswith(_TAGS) else None

    @property
    def is_request(self) -> bool:
        """Is it for a merge request?"""
        return self.situation.event == "merge_request"

    @property
    def is_overridable(self) -> bool:
        """May whoever starts it set variables?"""
        return self.situation.event in ("manual", "schedule")


def starts(situation: Situation, perhaps_default: frozenset[str]) -> tuple[Start, ...]:
    """The ways to start a pipeline that a situation stands for."""
    return tuple(Start(situation, source, perhaps_default) for source in _SOURCES.get(situation.event, ()))


def predefined(name: str, start: Start) -> Value:
    """The value of a variable that GitLab sets, or that nobody says anything of."""
    simple: dict[str, Value] = {
        "CI_COMMIT_BRANCH": start.branch,
        "CI_COMMIT_TAG": start.tag,
        "CI_COMMIT_REF_NAME": Unknown(chosen=True, set_=True) if start.is_request else start.branch or start.tag,
        "CI_PIPELINE_SOURCE": "parent_pipeline" if start.child else start.source,
        "CI_DEFAULT_BRANCH": Default(start.perhaps_default),
    }
    if name in simple:
        return simple[name]
    if name.startswith(("CI_MERGE_REQUEST_", "CI_EXTERNAL_PULL_REQUEST_")):
        if not start.is_request or name.startswith("CI_EXTERNAL"):
            return None
        if name in _TARGET:
            return start.situation.base
        return Unknown(chosen=True) if name in _IN_REQUEST else Unknown(set_=True)
    if name in _CHOSEN:
        return Unknown(chosen=True)
    if name in _ALWAYS:
        return _ALWAYS[name]
    return Unknown(set_=True if _SOMETHING.fullmatch(name) else None)


class Lookup:
    """Gives the values of variables: those that the file sets, else those of GitLab. Whether a variable in the value of another
    counts in a condition differs between versions.
    """

    def __init__(self, start: Start, variables: Mapping[str, Set]) -> None:
        self.start = start
        self.variables = variables

    def __call__(self, name: str) -> Value:
        """The value of a variable. By its name."""
        held = self.variables.get(name)
        if held is None:
            return predefined(name, self.start)
        if "$" in held.value or "\0" in held.value:
            return Unknown(set_=True)
        return held if self.start.is_overridable else held.value
