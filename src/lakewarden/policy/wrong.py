"""The one form of a policy's errors: file, key path, what is wrong."""

from __future__ import annotations

import json
from difflib import get_close_matches
from typing import TYPE_CHECKING

from lakewarden.errors import PolicyError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


#: From how many letters on a word may be the beginning of another.
_SHORTEST = 3


def wrong(file: str, path: Sequence[str | int], what: str, advice: str = "") -> PolicyError:
    """Return the error to raise; `path` is empty for what is wrong with the file as a whole."""
    return PolicyError(": ".join(part for part in (file, shown(path), what) if part), advice)


def shown(path: Sequence[str | int]) -> str:
    """Write a key path for people; entries of lists are counted from one."""
    out = ""
    for part in path:
        if isinstance(part, int):
            out += f"[{part + 1}]"
        else:
            plain = part.replace("_", "").replace("-", "").isalnum() and part.isascii()
            out += ("." if out else "") + (part if plain else json.dumps(part))
    return out


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'x'?`, or nothing where no known word is near."""
    by_folded = {k.casefold(): k for k in known}
    folded = word.casefold()
    near = get_close_matches(folded.replace("-", "_"), by_folded, n=1) or get_close_matches(folded, by_folded, n=1)
    if not near and len(folded) >= _SHORTEST:
        near = [k for k in by_folded if k.startswith(folded)]
    return f"; did you mean {by_folded[near[0]]!r}?" if len(near) == 1 else ""
