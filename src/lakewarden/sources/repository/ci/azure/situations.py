"""What variables of Azure Pipelines say in a situation, and which refs the texts speak of that they are compared with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lakewarden.sources.repository.ci.azure.values import UNKNOWN, Ref, Value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lakewarden.sources.repository.ci.workflow import Situation

#: What refs were compared with: the kind of ref, how it was compared, and the text.
Told = set[tuple[str, str, str]]

_REASONS: dict[str, Value] = {
    "push": "IndividualCI",
    "tag": "IndividualCI",
    "pull_request": "PullRequest",
    "manual": "Manual",
    "schedule": "Schedule",
    "workflow_run": "ResourceTrigger",
}
_PULL_REQUEST = "system.pullrequest."
_SOURCES = ("build.sourcebranch", "build.sourcebranchname")


def speaks_of_start(name: str) -> bool:
    """Does the variable depend on how the pipeline was started?"""
    lower = name.lower()
    return lower in _SOURCES or lower == "build.reason" or lower.startswith(_PULL_REQUEST)


def predefined(name: str, situation: Situation | None, told: Told, *, batched: bool = False) -> Value:
    """The value of a variable that the system sets; unknown where it does not follow from the situation."""
    lower = name.lower()
    if situation is None or not speaks_of_start(lower):
        return UNKNOWN
    if lower == "build.reason":
        reason = _REASONS.get(situation.event, UNKNOWN)
        return "BatchedCI" if batched and reason == "IndividualCI" else reason
    if lower == "build.sourcebranch":
        return Ref.of(situation.ref, "ref", told)
    if lower == "build.sourcebranchname":
        return Ref.of(situation.ref.rpartition("/")[2], "branch", told)
    if situation.event != "pull_request":
        return None
    if lower in ("system.pullrequest.targetbranch", "system.pullrequest.targetbranchname"):
        return Ref.of(situation.base, "base", told)
    return UNKNOWN


def mentioned(told: Iterable[tuple[str, str, str]]) -> tuple[list[str], list[str]]:
    """The refs and the target branches that texts speak of, as names and globs."""
    refs: dict[str, None] = {}
    bases: dict[str, None] = {}
    for kind, how, text in sorted(told):
        if kind == "base":
            bases.update(dict.fromkeys(_names(text.removeprefix("refs/heads/"), how)))
        elif text.startswith("refs/tags") or (how == "contains" and re.search(r"(?:^|/)tags(?:/|$)", text)):
            rest = re.sub(r"^.*?tags/?", "", text)
            refs["refs/tags/" + (rest if how == "is" else f"{rest}1" if rest else "*")] = None
        elif not re.match(r"refs/(?!heads/.)|/?pull", text):
            for name in _names(text.removeprefix("refs/heads/").removeprefix("heads/"), how):
                refs[f"refs/heads/{name}"] = None
    return list(refs), list(bases)


def _names(text: str, how: str) -> list[str]:
    text = text.lstrip("/")
    if not text:
        return []
    if how in ("is", "ends"):
        return [text]
    return [f"{text}*"] if text.endswith("/") else [text, f"{text}/*"]
