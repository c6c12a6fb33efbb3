"""What a table holds, by the words of its name."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from lakewarden.sources.repository.code.roles import is_raw

_SPLIT = re.compile(r"[^a-z]+")
_WORDS = {
    "label": frozenset({"label", "labels"}),
    "prediction": frozenset(
        {"prediction", "predictions", "inference", "inferences", "score", "scores", "scored", "forecast", "forecasts"}
    ),
    "monitor": frozenset({"drift", "monitor", "monitoring", "profile", "metrics", "metric"}),
}
#: Names of feature tables, and of schemas that hold nothing else.
_FEATURES = frozenset({"features", "featurestore"})
_PAIRS = frozenset({("feature", "store"), ("feature", "table"), ("feature", "tables"), ("feature", "set"), ("feature", "group")})
_SCHEMAS = frozenset(
    {frozenset({"features"}), frozenset({"featurestore"}), frozenset({"feature", "store"}), frozenset({"ml", "features"})}
)
#: What tells something of features rather than holding them.
_ABOUT = frozenset({
    "importance", "importances", "registry", "metadata", "catalog", "list", "names", "log", "logs", "config", "definitions", "flags", "stats",
    "statistics", "selection", "temp", "tmp", "test", "backup", "audit", "quality", "history", "spec", "specs", "mapping", "online",
})  # fmt: skip


@lru_cache(maxsize=4096)
def layer_by_name(parts: tuple[str, ...]) -> str:
    """The layer of a table by its schema and its own name; `other` where they say none. Holes say nothing."""
    *around, own = parts or ("",)
    words = _words(own)
    for layer, those in _WORDS.items():
        if not those.isdisjoint(words):
            return layer
    schema = frozenset(_words(around[-1])) if around else frozenset()
    if _ABOUT.isdisjoint(words) and (_names_features(words) or schema in _SCHEMAS):
        return "feature"
    if is_raw(own) or (around and is_raw(around[-1])):
        return "raw"
    return "other"


def _words(name: str) -> list[str]:
    return [word for word in _SPLIT.split(name.lower()) if word]


def _names_features(words: list[str]) -> bool:
    return not _FEATURES.isdisjoint(words) or any(pair in _PAIRS for pair in pairwise(words))
