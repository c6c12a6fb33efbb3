"""What a task is for: from its code where that is known, else from the words of its key and path."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
#: The beginning of a word and the role that it speaks of; the first that fits counts. `batch` says little, so it is last.
_ROLES = (
    ("approval", ("approv",)),
    ("validation", ("valid", "evaluat", "eval")),
    ("deployment", ("deploy", "promot")),
    ("inference", ("infer", "predict", "score", "scoring")),
    ("training", ("train", "retrain")),
    ("feature", ("feature", "featuris", "featuriz")),
    ("monitor", ("monitor",)),
    ("inference", ("batch",)),
)
_KNOWN = tuple(dict.fromkeys(role for role, _ in _ROLES))
OTHER = "other"


def role_of_task(known: Iterable[str], key: str, path: str | None) -> str:
    """The role of a task. `known` are the roles of its file; the words of its key choose where there are several."""
    by_key = _by_words(key)
    roles = [role for role in _KNOWN if role in set(known)]
    if roles:
        return by_key if by_key in roles else roles[0]
    if by_key != OTHER or path is None:
        return by_key
    parts = path.split("/")
    for part in reversed(parts[-3:]):
        role = _by_words(part)
        if role != OTHER:
            return role
    return OTHER


@lru_cache(maxsize=4096)
def _by_words(name: str) -> str:
    words = [word.lower() for word in _WORD.findall(name)]
    for role, beginnings in _ROLES:
        if any(word.startswith(beginnings) for word in words):
            return role
    return OTHER
