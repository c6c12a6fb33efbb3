"""Texts and numbers as they are written in HCL."""

from __future__ import annotations

import re
import sys

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))|\$(\$\{)|%(%\{)", re.DOTALL)
_PLAIN = re.compile(r"\$(\$\{)|%(%\{)")
_CONTROL = {"n": "\n", "r": "\r", "t": "\t"}
_SURROGATES = range(0xD800, 0xE000)


def unescape(text: str) -> str:
    """A text between quotes."""
    if "\\" not in text and "{" not in text:
        return text

    def one(found: re.Match[str]) -> str:
        code = found[1] or found[2]
        if code is not None:
            number = int(code, 16)
            return chr(number) if number <= sys.maxunicode and number not in _SURROGATES else "\ufffd"
        return found[4] or found[5] or _CONTROL.get(found[3], found[3])

    return _ESCAPE.sub(one, text)


def number(text: str) -> int | float:
    """A number."""
    if text.isdecimal() and len(text) < 30:  # noqa: PLR2004 - no number of a configuration is longer
        return int(text)
    try:
        return float(text)
    except ValueError:
        return 0.0


def unescape_heredoc(text: str) -> str:
    """A text of several lines, in which only `$${` and `%%{` stand for something else."""
    return _PLAIN.sub(r"\1\2", text)
