"""Splits a file into cells: Python, SQL, or magics that run other code."""

from __future__ import annotations

import re
from typing import NamedTuple

from lakewarden.sources.repository.code.result import Problem, Span

MARKER = "Databricks notebook source"
_COMMAND = "COMMAND ----------"
_COMMENTS = {"python": "#", "sql": "--", "r": "#", "scala": "//"}
_LANGUAGES = {"python": "python", "py": "python", "sql": "sql", "scala": "scala", "r": "r"}
#: Magics of IPython whose cell is Python still; all other cell magics hold text or another program.
_STILL_PYTHON = frozenset({"capture", "time", "timeit", "prun", "pip", "conda", "cd", "env", "matplotlib", "config"})


class Cell(NamedTuple):
    """One cell: its language (`python`, `sql`, `scala`, `r`, `run`, `pip`, `text`), its text, where it stands. `magic` is
    the language of a cell that an unknown magic reads, or that writes a file of Python.

    `line` is the line of the file on which the text starts, None where that is not known; `column` is added to columns.
    """

    language: str
    source: str
    line: int | None = 1
    number: int | None = None
    column: int = 0


class Document(NamedTuple):
    """A file as cells. `starts` holds the first line of each cell of a notebook in source format."""

    language: str
    is_notebook: bool
    cells: tuple[Cell, ...] = ()
    problems: tuple[Problem, ...] = ()
    whole: str | None = None
    starts: tuple[int, ...] = ()


def split_source(text: str, language: str) -> Document:
    """Split a file in source format: a notebook when its first line says so, else one cell."""
    comment = _COMMENTS[language]
    first, _, _ = text.partition("\n")
    if first.strip() != f"{comment} {MARKER}":
        return Document(language, False, (Cell(language, text),), whole=text if language == "python" else None)
    lines = text.split("\n")
    separator = f"{comment} {_COMMAND}"
    borders = [n for n, line in enumerate(lines) if line.startswith(separator)]
    cells: list[Cell] = []
    starts: list[int] = []
    begin = 1
    for index, end in enumerate([*borders, len(lines)]):
        starts.append(begin + 1)
        cells.append(_cell(lines[begin:end], begin + 1, index, language, comment))
        begin = end + 1
    whole = text if language == "python" else None
    return Document(language, True, tuple(cells), whole=whole, starts=tuple(starts))


def _cell(lines: list[str], line: int, index: int, language: str, comment: str) -> Cell:
    """One cell of a notebook in source format; its `MAGIC` lines, without the comment, when it has any."""
    magic = f"{comment} MAGIC"
    at = next((n for n, text in enumerate(lines) if text.startswith(magic)), None)
    if at is None:
        return with_magic("\n".join(lines), line, index, language)
    body = [text[len(magic) :].removeprefix(" ") if text.startswith(magic) else "" for text in lines]
    cell = with_magic("\n".join(body[at:]), line + at, index, language)
    if cell.language == language and not cell.source.strip():
        return Cell(language, "\n".join(lines), line, index)
    return cell._replace(column=len(magic) + 1)


def with_magic(source: str, line: int | None, index: int | None, default: str) -> Cell:
    """A cell whose language its first line may change: `%sql`, `%%sql`, `%run`, `%md`, …"""
    stripped = source.lstrip()
    if default == "python" and stripped.startswith("#") and (magic := _after_comments(stripped)):
        stripped = magic
    if not stripped.startswith("%"):
        return Cell(default, source, line, index)
    skipped = source[: len(source) - len(stripped)].count("\n")
    first, _, rest = stripped.partition("\n")
    word = re.match(r"%%?([A-Za-z_]\w*)", first)
    if word is None:
        return Cell(default, source, line, index)
    name = word[1].lower()
    head = first[word.end() :]
    if name in _LANGUAGES:
        return Cell(_LANGUAGES[name], "\n" * skipped + f"{head.lstrip()}\n{rest}", line, index)
    if name == "run":
        return Cell("run", source, line, index)
    if name in _STILL_PYTHON or (not first.startswith("%%") and default == "python" and name not in _TEXTS):
        return Cell(default, source, line, index)
    if name in _WRITES:
        return Cell("magic" if head.strip().endswith(".py") else "text", source, line, index)
    return Cell("text" if name in _TEXTS else "magic", source, line, index)


def _after_comments(source: str) -> str:
    """What follows the comments with which a cell begins, where that is a magic for the whole cell."""
    lines = source.split("\n")
    at = next((n for n, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")), len(lines))
    word = re.match(r"%%?([a-z]+)\b", lines[at]) if at < len(lines) else None
    return "\n".join(lines[at:]) if word is not None and (word[1] in _TEXTS or word[1] in _OTHERS) else ""


_OTHERS = frozenset(_LANGUAGES) - {"python", "py"}
_WRITES = frozenset({"writefile", "file"})
_TEXTS = _WRITES | {
    "md", "sh", "fs", "html", "bash", "javascript", "js", "latex", "svg", "markdown", "script", "cmd", "perl", "ruby", "system", "sx",
}  # fmt: skip
#: Notebooks take some magics without their sign, as `pip install`.
_MAGIC_LINE = re.compile(
    r"[ \t]*(%|!|\?)|[ \t]*[\w.]+\?{1,2}[ \t]*$|(?:pip3?|conda|mamba)[ \t]+(?:install|uninstall|freeze|list|show|update)\b"
)


def blank_magics(source: str) -> tuple[str, list[tuple[int, str]]]:
    """The text with its magic lines blanked, and these lines with their numbers, from 0."""
    found: list[tuple[int, str]] = []
    lines = source.split("\n")
    for number, line in enumerate(lines):
        if _MAGIC_LINE.match(line):
            found.append((number, line.strip()))
            indent = line[: len(line) - len(line.lstrip())]
            lines[number] = f"{indent}pass" if indent else ""
            follow, last = number, line
            while last.endswith("\\") and follow + 1 < len(lines):
                follow += 1
                last, lines[follow] = lines[follow], ""
    return "\n".join(lines), found


def unreadable(reason: str, remedy: str, line: int | None = None, cell: int | None = None) -> Problem:
    """A problem that leaves a file, or a cell of it, unread."""
    return Problem("failed", reason, remedy, Span(line=line, cell=cell))
