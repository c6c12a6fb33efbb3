"""Names of objects in SQL, with holes where a part is not written out."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.code.result import SqlName
from lakewarden.sources.repository.code.values import HOLE, fill

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lakewarden.sources.repository.sql.tokens import Text, Token

#: How many levels the full name of each kind of securable has; tables and what is like them have three.
LEVELS = {"catalog": 1, "schema": 2}
_FULL = 3
_FLAT = frozenset(
    {"external_location", "storage_credential", "connection", "share", "metastore", "recipient", "provider", "other"}
)

_PART = re.compile(r"(?:`[^`]*`|[^.`])+")
_HOLES = re.compile(f"{HOLE}+")
_PLACEHOLDER = re.compile(r"<[^<>]*>")


class Full(NamedTuple):
    """A full name: its levels in lower case, each with holes where it is not known."""

    parts: tuple[str, ...]
    shown: str

    @property
    def known(self) -> str | None:
        """The name, None where a part of it is not known."""
        whole = ".".join(self.parts)
        return None if HOLE in whole else whole

    @property
    def same(self) -> str:
        """What identifies the object within a repository, with `?` for what is not known."""
        whole = ".".join(self.parts)
        return _HOLES.sub("?", whole) if HOLE in whole else whole

    @property
    def catalog(self) -> str | None:
        """Its catalog; None where that is not known."""
        first = self.parts[0] if self.parts else HOLE
        return None if HOLE in first else first


def read_name(text: Text, tokens: Sequence[Token], at: int) -> tuple[SqlName | None, int]:
    """The name at a token, and where it ends; None where no name stands there."""
    if at >= len(tokens):
        return None, at
    token = tokens[at]
    if token.kind == "word":
        bare = re.sub(r"\s*\.\s*", ".", token.text)
        if HOLE in bare and _touches(tokens, at):
            bare = HOLE
        return SqlName(bare, text.holes_of(token)[: bare.count(HOLE)]), at + 1
    if token.text == "?":
        return SqlName(HOLE), at + 1
    return None, at


def _touches(tokens: Sequence[Token], at: int) -> bool:
    """Does another token follow without a space, so that the name is not all of it?"""
    end = tokens[at].at + len(tokens[at].text)
    return at + 1 < len(tokens) and tokens[at + 1].at == end and tokens[at + 1].text not in ("(", ")", ",")


@lru_cache(maxsize=4_096)
def parts_of(name: str) -> tuple[str, ...]:
    """The levels of a name, without backticks, in lower case."""
    return tuple(part.strip().replace("`", "").lower() for part in _PART.findall(name))


def full_name(name: SqlName, kind: str, catalog: str | None, schema: str | None) -> Full:
    """The full name of an object of a kind; `catalog` and `schema` are what a name without them means, None where that is
    not known. A part that is nothing but a hole may stand for several levels.
    """
    parts = parts_of(name.text)
    levels = 1 if kind in _FLAT else LEVELS.get(kind, _FULL)
    missing = levels - len(parts)
    if missing < 0:
        parts = parts[-levels:] if kind in _FLAT else parts
    elif missing and parts and HOLE in parts[0] and not parts[0].strip(HOLE):
        parts = (HOLE,) * missing + parts
    elif missing:
        parts = (*(catalog or HOLE, schema or HOLE)[:missing], *parts)
    return Full(parts, shown_of(name))


def shown_of(name: SqlName) -> str:
    """The name as it is written, with each hole as a name in braces."""
    return fill(name.text, name.holes).replace("`", "").replace(HOLE, "{?}")


def is_placeholder(name: str) -> bool:
    """Does a text stand for a name that the reader is to fill in, like `<catalog>`?"""
    return _PLACEHOLDER.search(name) is not None
