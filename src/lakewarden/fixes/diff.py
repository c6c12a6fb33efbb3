"""Changes of files as a unified diff, as `git apply` and `patch -p1` take it."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from lakewarden.fixes.edit import decoded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lakewarden.fixes.mend import FileChange

_NO_NEWLINE = "\\ No newline at end of file\n"


def unified(files: Iterable[FileChange]) -> Iterator[str]:
    """The lines of the diff, each with its end."""
    for path, before, after in files:
        # Lines end at a newline alone, as Git has it; a carriage return before it is part of the line.
        old, new = _lines(before), _lines(after)
        for line in difflib.unified_diff(old, new, _name("a", path), _name("b", path)):
            yield line if line.endswith("\n") else f"{line}\n{_NO_NEWLINE}"


def _lines(data: bytes) -> list[str]:
    text = decoded(data) if not data.startswith(b"\xef\xbb\xbf") else data.decode("utf-8")
    lines = text.split("\n")
    return [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def _name(side: str, path: str) -> str:
    """A path as Git writes it: in quotes where it holds what would end it."""
    name = f"{side}/{path}"
    if all(mark.isprintable() and mark not in '"\\' for mark in name):
        return name + ("\t" if " " in name else "")
    escaped = "".join(
        chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\{byte:03o}"  # noqa: PLR2004
        for byte in name.encode("utf-8", "surrogateescape")
    )
    return f'"{escaped}"'
