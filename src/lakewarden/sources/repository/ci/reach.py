"""When a job can run: each event with the kinds of ref under which it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.policy.attribute import ref_class, release_refs
from lakewarden.sources.repository.ci.shell.variables import PULL_REQUESTS
from lakewarden.sources.repository.ci.ternary import every, some
from lakewarden.sources.repository.ci.workflow import DEFAULT_BRANCH, Situation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lakewarden.policy.model import Policy
    from lakewarden.sources.repository.ci.workflow import Workflow

    Condition = Callable[[Situation], bool | None]

_HEADS, _TAGS = "refs/heads/", "refs/tags/"
_OTHER = "some-other-branch"
_OTHER_TAG = "some-other-tag"
_UNNAMED = frozenset({_HEADS + _OTHER, _TAGS + _OTHER_TAG})
#: Names that repositories give their default branch.
_USUAL = ("main", "master")
_DEFAULT = frozenset({_HEADS + DEFAULT_BRANCH, *(_HEADS + name for name in _USUAL)})
#: Events that start on a branch or tag that somebody chooses. Those not named here run on the default branch.
_ON_CHOICE = frozenset({"manual", "api", "trigger", "pipeline", "release", "deployment"})
#: Events of pull requests under names of their own.
_REQUESTS = {"pull_request_review": "pull_request", "pull_request_review_comment": "pull_request"}
_QUEUE = "merge_group"


class Reach(NamedTuple):
    """An event and the kind of ref under which a job can run; None where that is not known."""

    event: str | None
    ref_class: str | None


class Moments:
    """The situations in which a workflow is tried, each with the class of its ref."""

    def __init__(self, workflow: Workflow, policy: Policy, project: str | None) -> None:
        self.policy = policy
        self.project = project
        self.known = workflow.events is not None
        release = [sample(glob) for glob in release_refs(policy, project)]
        mentioned = [sample(ref) for ref in workflow.refs]
        bases = [sample(base) for base in workflow.bases]
        self.azure = workflow.system == "azure"
        #: Azure Pipelines lets people start every pipeline, on any branch, beside what its file says.
        self.offers_start = self.azure and not {"push", "tag"}.isdisjoint(workflow.events or ())
        self.heads = _with_others(
            [ref for ref in mentioned if ref.startswith(_HEADS)], [_HEADS + name for name in release], _HEADS + _OTHER
        )
        tags = [_TAGS + name for name in release if self.release(_TAGS + name)]
        self.tags = _with_others([ref for ref in mentioned if ref.startswith(_TAGS)], tags[-1:], _TAGS + _OTHER_TAG)
        self.bases = _with_others(bases, release, _OTHER)
        self.all = [(event, situation) for event in workflow.events or () for situation in self._of(event)]

    def _of(self, event: str) -> Iterator[Situation]:
        if event in PULL_REQUESTS or event in _REQUESTS:
            yield from (Situation(event, "refs/pull/1/merge", base) for base in self.bases)
        elif event == _QUEUE:
            yield from (Situation(event, f"{_HEADS}gh-readonly-queue/{base}/pr-1", base) for base in self.bases)
        elif event == "tag":
            yield from (Situation(event, ref) for ref in self.tags)
        elif event in _ON_CHOICE:
            yield from (Situation(event, ref) for ref in (*self.heads, *self.tags))
        elif event == "push" or self.azure:
            yield from (Situation(event, ref) for ref in self.heads)
        else:
            known = [ref for ref in self.heads if ref in _DEFAULT]
            yield from (Situation(event, ref) for ref in known or (_HEADS + _USUAL[0],))

    def release(self, ref: str) -> bool:
        """Is production released from this ref?"""
        if ref == _HEADS + DEFAULT_BRANCH:
            return any(self.release(_HEADS + name) for name in _USUAL)
        return ref_class(self.policy, self.project, ref) == "release"

    def reach(self, conditions: Iterable[Condition]) -> list[Reach]:
        """Every event and kind of ref under which all conditions hold, or may hold."""
        found: dict[Reach, None] = {}
        conditions = list(conditions)
        if not self.known:
            return [Reach(None, None)]
        of_event: dict[str, dict[str, bool | None]] = {}
        for event, situation in self.all:
            answer = every(condition(situation) for condition in conditions)
            if answer is not False:
                event = _REQUESTS.get(event, event)  # noqa: PLW2901 - the name that rules know
                kind = "pull_request" if event in PULL_REQUESTS else self._class(event, situation)
                kinds = of_event.setdefault("queued" if event == "manual" and self.offers_start else event, {})
                kinds[kind] = answer or kinds.get(kind)
        for event, kinds in of_event.items():
            if kinds.get("any"):
                found[Reach(event, "any")] = None
                continue
            for kind, answer in kinds.items():
                if answer or kind == "release":
                    found[Reach(event, kind)] = None
                else:
                    # Whether it runs at all is not known.
                    found[Reach(None if kind == "pull_request" else event, None)] = None
        return list(found)

    def _class(self, event: str, situation: Situation) -> str:
        if event == "release" or self.release(situation.ref):
            return "release"
        if situation.ref in _UNNAMED:
            return "any"
        return "other" if event in _ON_CHOICE or event in ("push", "tag", _QUEUE) or self.azure else "default"

    def on_pull_request(self, conditions: Iterable[Condition], covers: Callable[[str], bool | None] | None = None) -> bool | None:
        """Can it run for code that asks to be merged? A push to any branch runs for the branch that asks, too. `covers` answers
        whether an event starts it for every change of the code.
        """
        conditions = list(conditions)
        if not self.known:
            return None
        answers = [
            every((*(condition(situation) for condition in conditions), covers is None or covers(event)))
            for event, situation in self.all
            if event in PULL_REQUESTS
            or event in _REQUESTS
            or event == _QUEUE
            or (event == "push" and situation.ref == _HEADS + _OTHER)
        ]
        return some(answers)


def _with_others(mentioned: list[str], release: list[str], other: str) -> list[str]:
    """The names that a workflow mentions, one release ref that it does not, and one that is neither."""
    more = [name for name in release if name not in mentioned][:1]
    return list(dict.fromkeys([*mentioned, *more, other]))


def sample(glob: str) -> str:
    """A name that a glob matches."""
    out, at = "", 0
    while at < len(glob):
        char = glob[at]
        at += 1
        if char == "[" and (end := glob.find("]", at)) > 0:
            out += glob[at] if glob[at] not in "!^" else "x"
            at = end + 1
        elif char in "*?":
            # What stands for anything in the name of a tag is mostly a version.
            out += ("1.0" if glob.startswith(_TAGS) else "x") if glob[at - 2 : at - 1] != char or at == 1 else ""
        elif char != "+":
            out += char
    return out
