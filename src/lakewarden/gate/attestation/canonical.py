"""JSON in one form only, so that its digest means something, and strict reading of JSON that somebody else wrote."""

from __future__ import annotations

import json
from typing import Any

#: The largest whole number that every JSON reader keeps exactly.
LARGEST = 2**53 - 1


class NotCanonicalError(ValueError):
    """A value that has no canonical form, or text that is no plain JSON."""


def canonical(value: Any) -> bytes:
    """The value as RFC 8785 writes it, for values without fractions: sorted keys, UTF-8, no blanks.

    Raises:
        NotCanonicalError: there is a float, a number beyond 2**53, a key that is no text, or text that is no Unicode.
    """
    try:
        return json.dumps(_ordered(value), ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")
    except UnicodeEncodeError as problem:
        raise NotCanonicalError("text holds half a character") from problem


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise NotCanonicalError("a key is no text")
        return {key: _ordered(value[key]) for key in sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))}
    if isinstance(value, (list, tuple)):
        return [_ordered(each) for each in value]
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int) and -LARGEST <= value <= LARGEST:
        return value
    raise NotCanonicalError(f"{type(value).__name__} {value!r} has no canonical form")


def parsed(content: bytes) -> Any:
    """The JSON that the bytes are. What readers read differently is refused: keys told twice, NaN, other encodings.

    Raises:
        NotCanonicalError: it is no such JSON.
    """
    try:
        return json.loads(content.decode("utf-8"), object_pairs_hook=_once, parse_constant=_refused)
    except NotCanonicalError:
        raise
    except ValueError as problem:
        raise NotCanonicalError(f"is not JSON: {problem}") from None
    except RecursionError:
        raise NotCanonicalError("is nested too deeply") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise NotCanonicalError(f"tells {twice[:60]!r} twice")
    return found


def _refused(word: str) -> Any:
    raise NotCanonicalError(f"holds {word}")
