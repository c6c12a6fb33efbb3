"""What a task is for: from its code where that is known, else from the words of its key and path."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from lakewarden.sources.repository.code.roles import of_path

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
#: What `training` is only an attribute of: `publish_training_data` trains nothing.
_TRAINED_ON = frozenset(
    {"base", "data", "dataset", "datasets", "feature", "features", "input", "inputs", "sample", "samples", "set", "sets",
     "split", "table", "tables", "test", "view"}
)  # fmt: skip
#: Work that has none of these roles, in whatever folder it stands.
_OTHER_WORK = frozenset(
    {"clean", "cleaning", "cleanup", "download", "export", "extract", "generate", "initialize", "load", "loading", "prep",
     "preparation", "prepare", "preprocess", "preprocessing", "process", "processing", "publish", "register", "registration",
     "report", "reporting", "setup", "split", "transform"}
)  # fmt: skip
_KNOWN = tuple(dict.fromkeys(role for role, _ in _ROLES))
OTHER = "other"


def role_of_task(known: Iterable[str], key: str, path: str | None) -> str:
    """The role of a task. `known` are the roles of its file; the words of its key choose where there are several. A folder
    says nothing of a task, or a file, that speaks of other work.
    """
    by_key = _by_words(key)
    name = "" if path is None else path.rpartition("/")[2]
    if by_key == OTHER and _by_words(name) == OTHER and _OTHER_WORK & {*_words(key), *_words(name)}:
        known = set(known) - of_path(path or "")
        path = None
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


def speaks_of_other_work(key: str, path: str | None) -> bool:
    """Does the name of a task, or of its file, say that it does work which has no role?"""
    return bool(_OTHER_WORK & {*_words(key), *_words("" if path is None else path.rpartition("/")[2])})


@lru_cache(maxsize=4096)
def _by_words(name: str) -> str:
    words = _words(name)
    spoken = [
        word for word, after in zip(words, [*words[1:], ""], strict=False) if not (_is_training(word) and after in _TRAINED_ON)
    ]
    for role, beginnings in _ROLES:
        if any(word.startswith(beginnings) for word in spoken):
            return role
    return OTHER


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


def _is_training(word: str) -> bool:
    return word in ("train", "training")
