"""Extract: a pure function of the bytes and the path of a file."""

from __future__ import annotations

import ast
import re
import warnings
from typing import TYPE_CHECKING

from lakewarden.sources.repository.code import access, sqlscan
from lakewarden.sources.repository.code.cells import Cell, Document, blank_magics, split_source, unreadable
from lakewarden.sources.repository.code.definitions import run_pending, summarise
from lakewarden.sources.repository.code.expressions import EXPRESSIONS
from lakewarden.sources.repository.code.loads import run_magic
from lakewarden.sources.repository.code.notebook import read_notebook
from lakewarden.sources.repository.code.result import Call, Extract, Literal, Problem, Span
from lakewarden.sources.repository.code.state import State, Tables
from lakewarden.sources.repository.code.statements import STATEMENTS
from lakewarden.sources.repository.code.values import HOLE

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The kinds of literal that name a catalog.
_NAMES = frozenset({"table", "catalog"})
LANGUAGES = {".py": "python", ".ipynb": "python", ".sql": "sql", ".scala": "scala", ".r": "r"}

_TABLES = Tables(EXPRESSIONS, STATEMENTS, summarise)
_REMEDY = "correct it, or exclude the file"
_NOT_READ = {"scala": "Scala", "r": "R"}
_PIN = re.compile(r"[\"']?(mlflow(?:-skinny)?)(?:\[[\w,]*\])?\s*((?:[=<>~!]=?=?\s*[\w.*]+\s*,?\s*)*)", re.IGNORECASE)
_FENCES = re.compile(r"^# %%", re.MULTILINE)


def extract(data: bytes, path: str) -> Extract:
    """Read one file. What cannot be read becomes a problem of the result; nothing is raised."""
    suffix = path[path.rfind(".") :].lower() if "." in path else ""
    language = LANGUAGES.get(suffix, "python")
    try:
        text = _decoded(data)
    except (UnicodeDecodeError, LookupError) as error:
        problem = unreadable("not a text in UTF-8", "save the file as UTF-8", line=_line_of(data, error))
        return Extract(language, suffix == ".ipynb", problems=(problem,))
    if HOLE in text:
        line = text.count("\n", 0, text.index(HOLE)) + 1
        return Extract(language, suffix == ".ipynb", problems=(unreadable("it holds NUL bytes", _REMEDY, line=line),))
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    document = read_notebook(text) if suffix == ".ipynb" else split_source(text, language)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _read(document)


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        cookie = re.match(rb"(?:[^\n]*\n)?[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)", data[:500])
        if cookie is None:
            raise
        return data.decode(cookie[1].decode("ascii"))


def _line_of(data: bytes, error: Exception) -> int | None:
    return data.count(b"\n", 0, error.start) + 1 if isinstance(error, UnicodeDecodeError) else None


def _read(document: Document) -> Extract:
    state = State(_TABLES)
    problems = list(document.problems)
    pins: list[str] = []
    python: list[Cell] = []
    for cell in document.cells:
        if cell.language == "run":
            _run_cell(state, cell)
        elif cell.language == "sql":
            _sql_cell(state, cell)
        elif cell.language in _NOT_READ:
            place = Span(line=cell.line, cell=cell.number)
            reason = f"{_NOT_READ[cell.language]} is not read"
            problems.append(Problem("not-asked", reason, "", place))
        elif cell.language == "python":
            python.append(cell)
            if "pip install" in cell.source:
                pins.extend(_pins(cell.source))
        elif "pip install" in cell.source:
            pins.extend(_pins(cell.source))
    if python:
        _read_python(state, document, python, problems)
    return Extract(
        document.language,
        document.is_notebook,
        tuple(problems),
        tuple(state.imports),
        _passed_over(state),
        _written_out(state),
        tuple(state.accesses),
        tuple(state.loads),
        tuple(state.lookups),
        frozenset(state.signs),
        tuple(pins),
    )


def _pins(source: str) -> list[str]:
    """Requirements of mlflow in lines that install packages."""
    lines = [line for line in source.split("\n") if "pip install" in line]
    return [f"{found[1]}{found[2].strip()}" for line in lines for found in _PIN.finditer(line.partition("pip install")[2])]


def _run_cell(state: State, cell: Cell) -> None:
    for number, line in enumerate(cell.source.split("\n")):
        if line.strip().startswith("%run"):
            at = None if cell.line is None else cell.line + number
            run_magic(state, line, Span(line=at, end_line=at, cell=cell.number))


def _sql_cell(state: State, cell: Cell) -> None:
    for found in sqlscan.scan(cell.source):
        line = None if cell.line is None else cell.line + cell.source.count("\n", 0, found.at)
        access.keep_sql(state, found, cell.source, (), Span(line=line, end_line=line, cell=cell.number))


def _read_python(state: State, document: Document, cells: Sequence[Cell], problems: list[Problem]) -> None:
    """Parse the whole file at once where that works, else cell by cell; functions are read when all cells are."""
    bodies: list[tuple[Cell, list[ast.stmt], list[tuple[int, str]]]] = []
    whole = _parsed(document.whole) if document.whole is not None else None
    if whole is not None and document.whole is not None:
        state.starts = document.starts
        bodies.append((Cell("python", "", 1), whole, []))
        cells = [cell for cell in cells if cell.column]
    elif document.whole is not None and not document.is_notebook:
        cells = _fenced(cells[0])
    for cell in cells:
        found = _parse_cell(cell, problems)
        if found is not None:
            bodies.append((cell, *found))
    bodies.sort(key=lambda item: -1 if item[0].number is None else item[0].number)
    starts = state.starts
    for cell, body, magics in bodies:
        state.starts = starts if cell.number is None else ()
        state.lines = (cell.source or document.whole or "").split("\n")
        line = None if cell.line is None else cell.line - 1
        state.shift = (line, cell.column if document.whole is not None else -1, cell.number)
        _keep_magics(state, magics)
        try:
            state.run(body)
            run_pending(state)
        except RecursionError:
            state.pending.clear()
            problems.append(unreadable("code that is nested too deeply", _REMEDY, line=cell.line, cell=cell.number))


def _keep_magics(state: State, magics: list[tuple[int, str]]) -> None:
    line, _, cell = state.shift
    for number, magic in magics:
        if magic.startswith("%run"):
            at = None if line is None else line + number + 1
            run_magic(state, magic, Span(line=at, end_line=at, cell=cell))


def _fenced(cell: Cell) -> list[Cell]:
    """A script that does not parse as a whole, split at `# %%` when it has such lines."""
    if not _FENCES.search(cell.source):
        return [cell]
    cells: list[Cell] = []
    line = 1
    for part in _FENCES.split(cell.source):
        cells.append(Cell("python", part if not cells else f"# %%{part}", line))
        line += part.count("\n")
    return cells


def _parsed(source: str) -> list[ast.stmt] | None:
    """The statements of a text, None where it is not Python."""
    try:
        return ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _parse_cell(cell: Cell, problems: list[Problem]) -> tuple[list[ast.stmt], list[tuple[int, str]]] | None:
    """Parse one cell, without its magic lines when it does not parse with them."""
    body = _parsed(cell.source)
    if body is not None:
        return body, []
    source, magics = blank_magics(cell.source)
    try:
        return ast.parse(source).body, magics
    except (ValueError, RecursionError, MemoryError):
        line: int | None = 1
        reason = "code that is nested too deeply"
    except SyntaxError as error:
        line = error.lineno or 1
        reason = f"Python that this interpreter cannot parse: {error.msg.partition(' (detected at')[0]}"
    at = cell.line + line - 1 if cell.line is not None and line is not None else None
    problems.append(unreadable(reason, _REMEDY, line=at, cell=cell.number))
    return None


def _written_out(state: State) -> tuple[Literal, ...]:
    """The literals, each name once: where its catalog is written, and by the call that uses it rather than by a keyword of
    that call."""
    told = {literal.named for literal in state.literals if literal.direct and literal.kind in _NAMES}
    by_catalog: dict[str | None, list[Literal]] = {}
    for literal in state.literals:
        if literal.kind in _NAMES and literal.is_write is not None:
            by_catalog.setdefault(literal.named, []).append(literal)
    found = []
    for literal in state.literals:
        if not literal.direct:
            if literal.named in told:
                continue
            told.add(literal.named)
        inside = literal.is_write is None and literal.kind in _NAMES
        if not (inside and any(_within(literal.span, other.span) for other in by_catalog.get(literal.named, ()))):
            found.append(literal)
    return tuple(found)


def _within(inner: Span, outer: Span) -> bool:
    if None in (inner.line, outer.line, inner.end_line, outer.end_line) or inner.cell != outer.cell:
        return False
    return (outer.line or 0) <= (inner.line or 0) and (inner.end_line or 0) <= (outer.end_line or 0)


def _passed_over(state: State) -> tuple[Call, ...]:
    """The calls; one inside a function whose every call is in a `try` that passes over failures is passed over too."""
    if not state.sites:
        return tuple(state.calls)
    answers: dict[str, bool | None] = {}

    def of_function(name: str, depth: int) -> bool | None:
        if not name or depth > len(state.sites):
            return False
        if name not in answers:
            answers[name] = False
            sites = state.sites.get(name)
            if sites is not None:
                each = [own or _either(own, of_function(caller, depth + 1)) for caller, own in sites]
                answers[name] = True if all(each) else None if all(one is not False for one in each) else False
        return answers[name]

    return tuple(
        call if call.swallowed else call._replace(swallowed=_either(call.swallowed, of_function(call.function, 0)))
        for call in state.calls
    )


def _either(one: bool | None, other: bool | None) -> bool | None:
    return True if one or other else None if one is None or other is None else False
