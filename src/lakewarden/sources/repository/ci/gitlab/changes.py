"""For which changes a job of GitLab CI runs: `changes` of its rules."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lakewarden.sources.repository.ci.github.patterns import matches
from lakewarden.sources.repository.ci.gitlab.rules import flat, text_of
from lakewarden.sources.repository.ci.workflow import HOLE
from lakewarden.sources.yaml_nodes import Map

if TYPE_CHECKING:
    from collections.abc import Callable

_BRACES = re.compile(r"\{([^{}]*)\}")
_MOST = 60


def starts_for(job: Map) -> Callable[[str, str], bool | None] | None:
    """Whether a pipeline holds a job that changes one file alone; None where the job runs whatever is changed. Which of several
    rules comes first is not asked: a file that one of them misses is one for which the job may stay away.
    """
    asked = [
        item.get("changes") for item in flat(job.get("rules")) if isinstance(item, Map) and text_of(item.get("when")) != "never"
    ]
    if "rules" not in job.items:
        only = job.get("only")
        asked = [only.get("changes")] if isinstance(only, Map) else []
    if not any(node is not None for node in asked):
        return None
    named = [flat(node.get("paths") if isinstance(node, Map) else node) for node in asked if node is not None]
    always = any(node is None for node in asked)

    def answer(event: str, path: str) -> bool | None:
        if event not in ("push", "merge_request"):
            return True
        held = [any(_holds(text_of(item), path) for item in globs) for globs in named]
        return True if all(held) else None if any(held) or always else False

    return answer


def _holds(glob: str, path: str) -> bool:
    """Does a glob of `changes` match a file? `*` stays in its folder, `**` does not; `{a,b}` is one of several."""
    if HOLE in glob or "$" in glob:
        return False
    return any(matches(one, path) for one in _spread(glob.lstrip("/")))


def _spread(glob: str) -> list[str]:
    """The globs that one with braces stands for."""
    done: list[str] = []
    waiting = [glob]
    while waiting and len(done) + len(waiting) < _MOST:
        one = waiting.pop()
        found = _BRACES.search(one)
        if found is None:
            done.append(one)
        else:
            waiting += [one[: found.start()] + part + one[found.end() :] for part in found[1].split(",")[:_MOST]]
    return done
