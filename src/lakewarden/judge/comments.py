"""Finds suppressions in files, and the lines that each covers.

A comment covers the statement, item or block that starts on its line; alone on a line, the next one. None reaches beyond
its notebook cell.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.errors import SourceError
from lakewarden.judge.suppressions import Suppression, parse
from lakewarden.sources.memo import MARK

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable, Iterator, Sequence

_SUFFIXES = {
    ".py": "python", ".ipynb": "ipynb", ".yml": "yaml", ".yaml": "yaml", ".sql": "sql", ".tf": "code", ".hcl": "code", ".tfvars": "code",
    ".scala": "code", ".r": "code", ".toml": "yaml", ".sh": "yaml",
}  # fmt: skip
_LEADERS = {
    "python": re.compile(r"(?:#|--|//)[ \t]*lakewarden:(.*)"),
    "yaml": re.compile(r"(?<!\S)#[ \t]*lakewarden:(.*)"),
    "sql": re.compile(r"--[ \t]*lakewarden:(.*)"),
    "code": re.compile(r"(?<!\S)(?:#|//)[ \t]*lakewarden:(.*)"),
}
_ONLY_COMMENT = re.compile(r"\s*(?:#|--|//)")
_MAGIC = re.compile(r"^(?:#|--|//) MAGIC ?")
_LANGUAGE = re.compile(r"^(?:#|--|//) MAGIC\s+%(\w+)|^%{1,2}(\w+)", re.MULTILINE)
_CELL_END = re.compile(r"^(?:#|--|//) COMMAND -{5,}\s*$")
_CLOSING = re.compile(r"\s*[)\]}]")
_PYTHON = re.compile(
    r'''(?P<comment>\#[^\n]*)|"""(?:\\.|[^\\])*?(?:"""|\Z)|\'\'\'(?:\\.|[^\\])*?(?:\'\'\'|\Z)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?''',
    re.DOTALL,
)

Span = tuple[int, int]


class _Cell(NamedTuple):
    """Lines of one cell, or of a whole file; `first` is the number of its first line."""

    lines: list[str]
    first: int
    language: str


def find(path: str, data: bytes) -> list[Suppression]:
    """The suppressions of one file."""
    kind = _SUFFIXES.get(path[path.rfind(".") :].lower())
    if kind is None or MARK not in data:
        return []
    text = data.decode("utf-8-sig", "replace")
    if kind == "ipynb":
        return [found for number, cell in _notebook_cells(text) for found in _in_cell(path, number, cell)]
    return [found for cell in _cells(text, kind) for found in _in_cell(path, None, cell)]


def find_all(paths: Sequence[str], read: Callable[[str], bytes]) -> list[Suppression]:
    """The suppressions of many files. A file that cannot be read has none; its source tells the gap."""
    found: list[Suppression] = []
    for path in paths:
        if path[path.rfind(".") :].lower() in _SUFFIXES:
            try:
                found += find(path, read(path))
            except SourceError:
                continue
    return found


def _cells(text: str, kind: str) -> Iterator[_Cell]:
    lines: list[str] = []
    first = 1
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text), 1):
        if _CELL_END.match(line):
            yield _Cell(lines, first, _language(lines, kind))
            lines, first = [], number + 1
        else:
            lines.append(line)
    yield _Cell(lines, first, _language(lines, kind))


def _notebook_cells(text: str) -> Iterator[tuple[int, _Cell]]:
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError):
        return
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    for number, cell in enumerate(cells if isinstance(cells, list) else ()):
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            source = cell.get("source")
            if isinstance(source, list):
                source = "".join(part for part in source if isinstance(part, str))
            if isinstance(source, str):
                lines = re.split(r"\r\n|\n|\r", source)
                yield number, _Cell(lines, 1, _language(lines, "python"))


def _language(lines: Sequence[str], kind: str) -> str:
    """How to read a cell: as its file, or as the language that its first magic names."""
    first = next((line for line in lines if line.strip()), "")
    if "Databricks notebook source" in first:
        first = next((line for line in lines[lines.index(first) + 1 :] if line.strip()), "")
    magic = _LANGUAGE.match(first)
    if magic is None:
        return kind
    named = magic[1] or magic[2]
    return {"sql": "sql", "python": "python", "md": "prose"}.get(named, kind if named in {"run", "pip"} else "code")


def _in_cell(path: str, number: int | None, cell: _Cell) -> Iterator[Suppression]:
    if cell.language == "prose" or not any("lakewarden:" in line for line in cell.lines):
        return
    bare = [_MAGIC.sub("", line) for line in cell.lines]
    spans: list[tuple[Span, Span]] | None = None
    for at, text in _comments(cell):
        anchor = _anchor(bare, at)
        if cell.language == "python":
            spans = _statements(bare) if spans is None else spans
            start, end = _python_block(spans, bare, anchor)
        elif cell.language == "sql":
            start, end = _sql_statement(bare, anchor)
        else:
            start, end = _indented_block(bare, anchor)
        said = parse(text)
        yield Suppression(
            path, at + cell.first, number, start + cell.first, end + cell.first, said.codes, said.reason, said.until, said.problem
        )


def _comments(cell: _Cell) -> Iterator[tuple[int, str]]:
    """Each comment that speaks to lakewarden: the index of its line, and what follows the colon."""
    if cell.language == "python":
        text = "\n".join(cell.lines)
        for token in _PYTHON.finditer(text):
            comment = token["comment"]
            if comment is not None and (said := _LEADERS["python"].search(comment)):
                yield text.count("\n", 0, token.start()), said[1]
        return
    quote = "'" if cell.language == "sql" else '"'
    for at, line in enumerate(cell.lines):
        said = _LEADERS[cell.language].search(line)
        if said and line.count(quote, 0, said.start()) % 2 == 0:
            yield at, said[1]


def _anchor(lines: Sequence[str], at: int) -> int:
    """The line that a comment speaks of: its own, or the next with more than a comment where it stands alone."""
    if not _ONLY_COMMENT.match(lines[at]):
        return at
    for below in range(at + 1, len(lines)):
        if lines[below].strip() and not _ONLY_COMMENT.match(lines[below]):
            return below
    return at


def _indented_block(lines: Sequence[str], at: int) -> Span:
    """The line, what is indented below it, a list at its own indentation and a bracket that closes it."""
    indent = _indent(lines[at])
    is_item = lines[at].lstrip().startswith("- ")
    end = at
    for below in range(at + 1, len(lines)):
        line = lines[below]
        if not line.strip():
            continue
        deeper = _indent(line) > indent
        listed = _indent(line) == indent and not is_item and line.lstrip().startswith("- ") and lines[at].rstrip()[-1:] != "-"
        if _indent(line) == indent and _CLOSING.match(line):
            return at, below
        if not deeper and not listed:
            break
        if not _ONLY_COMMENT.match(line):
            end = below
    return at, end


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _sql_statement(lines: Sequence[str], at: int) -> Span:
    """The statement around a line: from behind the `;` before it to the next."""
    ends = [i for i, line in enumerate(lines) if line.partition("--")[0].rstrip().endswith(";")]
    start = max((i + 1 for i in ends if i < at), default=0)
    while start < at and (not lines[start].strip() or _ONLY_COMMENT.match(lines[start]) or lines[start].startswith("%")):
        start += 1
    return start, next((i for i in ends if i >= at), len(lines) - 1)


def _statements(lines: Sequence[str]) -> list[tuple[Span, Span]] | None:
    """Each statement of a cell: its lines, and the lines of its head. None where the cell is no Python."""
    import ast
    import warnings

    text = "\n".join("" if line.startswith(("%", "!")) else line for line in lines)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return [_spans(node) for node in ast.walk(tree) if isinstance(node, (ast.stmt, ast.ExceptHandler))]


def _spans(node: ast.stmt | ast.ExceptHandler) -> tuple[Span, Span]:
    start = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))]) - 1
    end = (node.end_lineno or node.lineno) - 1
    inner = getattr(node, "body", None) or getattr(node, "cases", None)
    if not inner:
        return (start, end), (start, end)
    first = inner[0]
    below = min([getattr(first, "lineno", 0) or first.pattern.lineno, *(d.lineno for d in getattr(first, "decorator_list", ()))])
    return (start, end), (start, max(start, below - 2))


def _python_block(spans: list[tuple[Span, Span]] | None, lines: Sequence[str], at: int) -> Span:
    """The statement that starts on a line, whole; else the one whose head the line is in."""
    if spans is None:
        return _indented_block(lines, at)
    starting = [whole for whole, _ in spans if whole[0] == at]
    if starting:
        return max(starting, key=lambda span: span[1])
    around = [head for _, head in spans if head[0] <= at <= head[1]]
    return min(around, key=lambda span: span[1] - span[0]) if around else (at, at)
