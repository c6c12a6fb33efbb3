"""What a gate rests on, read once more at its end: what moved meanwhile is another question than the one that was answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from lakewarden.errors import SourceError
from lakewarden.facts.model.gate import Reread
from lakewarden.sources.platform.estate import DEPLOYED, Collector

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lakewarden.sources.platform.estate import Estate

_KEPT = "asked first"


class _Answer(NamedTuple):
    """A question about the candidate, and what was answered."""

    path: str
    query: Mapping[str, Any]
    family: str
    right: str
    part: Callable[[dict[str, Any]], object]
    said: object


def _whole(said: dict[str, Any]) -> object:
    return said


def ask_first(
    estate: Estate,
    path: str,
    query: Mapping[str, Any],
    *,
    family: str,
    right: str,
    part: Callable[[dict[str, Any]], object] = _whole,
) -> dict[str, Any]:
    """Ask about the candidate, and remember the answer, or a part of it, for the end of the gate."""
    said = estate.api.get(path, query, family=family, right=right)
    estate.kept.setdefault(_KEPT, []).append(_Answer(path, query, family, right, part, part(said)))
    return said


def watch(estate: Estate, state: Callable[[], str]) -> None:
    """Remember what surrounds the gate, the policy and the release branch, in one text; or why that cannot be told."""
    before: str | SourceError
    try:
        before = state()
    except SourceError as problem:
        before = problem
    estate.kept["watched"] = state, before


def is_unchanged(estate: Estate) -> bool:
    """Ask everything again: is it what it was, and does the same surround the gate? Raises a SourceError where one fails, or where
    what surrounded the gate was not known at its beginning.
    """
    state, before = estate.kept["watched"]
    if isinstance(before, SourceError):
        raise before
    same = state() == before
    for one in estate.kept.get(_KEPT, ()):
        same = one.part(estate.api.get(one.path, one.query, family=one.family, right=one.right)) == one.said and same
    return bool(same)


def collect(estate: Estate) -> None:
    """Ask again, and compare."""
    for candidate in estate.facts.rows["candidates"]:
        with estate.facts.listing("rereads", plane=DEPLOYED, of=candidate.key, origin=candidate.origin):
            same = is_unchanged(estate)
            estate.facts.add(Reread(key=candidate.key, plane=DEPLOYED, origin=candidate.origin, unchanged=same))


COLLECTOR = Collector("everything once more", frozenset({"rereads"}), (), collect)
