"""Globs of paths, as `.gitignore` writes them: `*` stays in one folder, `**` does not, a name without `/` matches anywhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def matcher(globs: Sequence[str]) -> Callable[[str], str | None]:
    """A function from a path to the first glob that matches it or a folder above it."""
    compiled = [(glob, re.compile(_pattern(glob), re.DOTALL)) for glob in globs]

    def match(path: str) -> str | None:
        return next((glob for glob, pattern in compiled if pattern.fullmatch(path)), None)

    return match


def _pattern(glob: str) -> str:
    text = glob.removeprefix("./").rstrip("/")
    anchored = "/" in text
    text = text.removeprefix("/")
    out = ["" if anchored else "(?:.*/)?"]
    at = 0
    while at < len(text):
        if text.startswith("**/", at):
            out.append("(?:.*/)?")
            at += 3
        elif text.startswith("**", at):
            out.append(".*")
            at += 2
        elif text[at] in "*?":
            out.append("[^/]*" if text[at] == "*" else "[^/]")
            at += 1
        elif text[at] == "[" and (end := text.find("]", at + 2)) > 0:
            inside = text[at + 1 : end]
            negated = inside[0] in "!^"
            out.append(f"(?!/)[{'^' if negated else ''}{_members(inside[1:] if negated else inside)}]")
            at = end + 1
        else:
            out.append(re.escape(text[at]))
            at += 1
    return "".join([*out, "(?:/.*)?"])


def _members(inside: str) -> str:
    """The members of a character class; a range that runs backwards is taken letter by letter."""
    out = []
    at = 0
    while at < len(inside):
        if inside[at + 1 : at + 2] == "-" and at + 2 < len(inside) and inside[at] <= inside[at + 2]:
            out.append(f"{re.escape(inside[at])}-{re.escape(inside[at + 2])}")
            at += 3
        else:
            out.append(re.escape(inside[at]))
            at += 1
    return "".join(out)
