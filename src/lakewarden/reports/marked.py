"""Text of others inside Markdown: it stays text, whatever it holds."""

from __future__ import annotations

import re

from lakewarden.reports.escape import clean

_MARKS = re.compile(r"[\\`*_\[\]|#~!$]")
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def prose(text: str) -> str:
    """Text as a reader sees it: no mark, no element, and nobody is notified by it."""
    marked = _MARKS.sub(r"\\\g<0>", clean(text))
    html = re.sub("[&<>]", lambda found: _HTML[found.group()], marked)
    return html.replace("@", "@<!-- -->").replace("://", "<span>:</span>//").replace("www.", "www<span>.</span>")


def code(text: str | None) -> str:
    """A value, letter by letter, also in a cell of a table."""
    if not text:
        return "not known" if text is None else '""'
    shown = clean(text)
    fence = "`" * (1 + max(map(len, re.findall("`+", shown)), default=0))
    space = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{space}{shown.replace('|', chr(92) + '|')}{space}{fence}"
