"""The stage that a name speaks of, by its words: what holds where the policy says nothing."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_DEVELOPMENT = "dev devel develop development sandbox"
_STAGING = "test testing tst qa ci stg stage staging uat acc acceptance preprod preprd preproduction"
_PRODUCTION = "prod prd production"

_WORDS = {
    **dict.fromkeys(_DEVELOPMENT.split(), "development"),
    **dict.fromkeys(_STAGING.split(), "staging"),
    **dict.fromkeys(_PRODUCTION.split(), "production"),
}
#: Everyday words: they name a stage in a target, elsewhere only where they are the whole name (`user_events` is no stage).
_WEAK = {"user": "development", "local": "development", "live": "production"}
#: Words that also say something else: in a path only a folder that begins with one speaks of a stage (`/Shared/ab-testing`
#: does not).
_EVERYDAY = frozenset({"test", "testing", "tst", "ci", "acc", "acceptance", "stage", "develop", "devel"})
_NOT = frozenset({"non", "no", "not"})
_BEFORE = frozenset({"pre"})
_NONPRODUCTION = frozenset({"nonprod", "nonprd", "nonproduction", "notprod", "noprod"})

_SPLIT = re.compile(r"[^a-z0-9]+")


class Named(NamedTuple):
    """The stage that a name speaks of: a stage, `none`, or None with the reason why it cannot be told."""

    stage: str | None
    reason: str = ""


@lru_cache(maxsize=65536)
def stage_by_words(name: str, *, target: bool = False) -> Named:
    """Read the stage from the whole words of a name; two stages in one name, or `nonprod`, cannot be told."""
    words = _path_words(name) if name.startswith("/") else _words(name)
    stages: dict[str, str] = {}
    before = ""
    for word in words:
        stage = _WORDS.get(word)
        if stage is None and word in _WEAK and (target or len(words) == 1):
            stage = _WEAK[word]
        if word in _NONPRODUCTION or (stage == "production" and before in _NOT):
            return Named(None, f"{name!r} is not production, and does not say what it is")
        if stage == "production" and before in _BEFORE:
            stage = "staging"
        if stage is not None:
            stages.setdefault(stage, word)
        before = word
    if len(stages) > 1:
        return Named(None, f"{name!r} names two stages: {' and '.join(stages)}")
    return Named(next(iter(stages), "none"))


def _words(name: str) -> list[str]:
    return [word.rstrip("0123456789") or word for word in _SPLIT.split(name.casefold()) if word]


def _path_words(path: str) -> list[str]:
    """The words of a path without everyday ones inside a folder's name, and without the folder of a person."""
    folders = [_words(folder) for folder in path.split("/") if "@" not in folder]
    return [word for words in folders for at, word in enumerate(words) if at == 0 or word not in _EVERYDAY]
