"""Situations to try a workflow in, made of the refs and branches that it mentions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.sources.repository.ci.workflow import Situation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: A branch that no workflow mentions.
OTHER = "any-other-branch"

_HEADS, _TAGS = "refs/heads/", "refs/tags/"
_REQUESTS = frozenset({"pull_request", "pull_request_target", "merge_request"})


def situations(events: Iterable[str], refs: Iterable[str], bases: Iterable[str]) -> Iterator[Situation]:
    """One situation for each event and each ref or base, and for a branch that is none of them."""
    known = list(dict.fromkeys(ref.replace("*", "x") for ref in refs))
    heads = [*(ref for ref in known if ref.startswith(_HEADS)), _HEADS + OTHER]
    tags = [ref for ref in known if ref.startswith(_TAGS)]
    for event in events:
        if event in _REQUESTS:
            for base in (*dict.fromkeys(base.replace("*", "x") for base in bases), OTHER):
                yield Situation(event, "refs/pull/1/merge", base)
        else:
            here = [*tags, _TAGS + "any-other-tag"] if event == "tag" else heads if event == "push" else [*heads, *tags]
            for ref in here:
                yield Situation(event, ref)
