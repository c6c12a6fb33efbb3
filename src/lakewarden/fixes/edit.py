"""Changes of text by position."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_BOM = b"\xef\xbb\xbf"


class LeftAloneError(Exception):
    """Why a finding has no safe fix: one line, for people."""


class Edit(NamedTuple):
    """The characters from `start` up to `end`, 0-based and without the byte order mark, become `text`."""

    start: int
    end: int
    text: str

    def meets(self, other: Edit) -> bool:
        """Do they touch? Of two inserts at one place nobody knows which comes first."""
        return self.start <= other.end and other.start <= self.end


def applied(text: str, edits: Iterable[Edit]) -> str:
    """The text with all of these changes, which do not meet."""
    for edit in sorted(edits, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def decoded(data: bytes) -> str:
    """The text of a file as sources read it: UTF-8, the byte order mark aside.

    Raises:
        LeftAloneError: it is something else.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise LeftAloneError("the file is not UTF-8") from None


def encoded(text: str, before: bytes) -> bytes:
    """The bytes of a changed text, with the byte order mark of what was there."""
    return (_BOM if before.startswith(_BOM) else b"") + text.encode("utf-8")
