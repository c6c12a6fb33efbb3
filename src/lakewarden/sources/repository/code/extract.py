"""Extract: a pure function of the bytes and the path of a file."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from typing import TYPE_CHECKING

from lakewarden.sources.repository.code import access, sqlscan
from lakewarden.sources.repository.code.cells import Cell, Document, blank_magics, split_source, unreadable
from lakewarden.sources.repository.code.definitions import run_pending, summarise
from lakewarden.sources.repository.code.expressions import EXPRESSIONS
from lakewarden.sources.repository.code.loads import run_magic
from lakewarden.sources.repository.code.notebook import read_notebook
from lakewarden.sources.repository.code.result import Access, Call, Extract, Literal, Problem, Span
from lakewarden.sources.repository.code.state import State, Tables
from lakewarden.sources.repository.code.statements import STATEMENTS
from lakewarden.sources.repository.code.values import HOLE

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONG = 60_000
_STATEMENT = re.compile(r"\n(?=[A-Za-z_@#])")

#: The kinds of literal that name a catalog.
_NAMES = frozenset({"table", "catalog", "volume"})
#: The kinds of which the call that uses them may stand on the same line as the name.
_USED = _NAMES | {"experiment"}
#: A call of more lines is looked at only so far.
_MAX_LINES = 200
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
            _sql_cell(state, cell, problems)
        elif cell.language in _NOT_READ:
            place = Span(line=cell.line, cell=cell.number)
            reason = f"{_NOT_READ[cell.language]} is not read"
            problems.append(Problem("not-asked", reason, "", place))
        elif cell.language == "magic":
            word = next(word for word in cell.source.split() if word.startswith("%"))
            problems.append(Problem("not-asked", f"a cell of {word} is not read", "", Span(line=cell.line, cell=cell.number)))
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
        tuple(access for access in state.accesses if not _moves(state, access)),
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


def _sql_cell(state: State, cell: Cell, problems: list[Problem]) -> None:
    cut = sqlscan.unclosed(cell.source)
    if cut is not None:
        line = None if cell.line is None else cell.line + cell.source.count("\n", 0, cut)
        problems.append(
            Problem("failed", "SQL with a quotation mark that is never closed", "close it", Span(line=line, cell=cell.number))
        )
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


def _parse(source: str) -> list[ast.stmt]:
    """Parse a text. Before Python 3.11 the parser itself breaks down over one very long expression."""
    if sys.version_info < (3, 11) and len(source) > _LONG:
        longest = max(_STATEMENT.split(source), key=len)
        if sum(longest.count(sign) for sign in "([.-+~") > _LONG // 3:
            raise RecursionError
    return ast.parse(source).body


def _parsed(source: str) -> list[ast.stmt] | None:
    """The statements of a text, None where it is not Python."""
    try:
        return _parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _parse_cell(cell: Cell, problems: list[Problem]) -> tuple[list[ast.stmt], list[tuple[int, str]]] | None:
    """Parse one cell; when it does not parse, without its magic lines, and without an indentation that it has as a whole."""
    body = _parsed(cell.source)
    if body is not None:
        return body, []
    source, magics = blank_magics(cell.source)
    try:
        return _parse(source), magics
    except (ValueError, RecursionError, MemoryError):
        line = 1
        reason = "code that is nested too deeply"
    except SyntaxError as error:
        body = _parsed(_dedented(source)) if cell.number is not None else None
        if body is not None:
            return body, magics
        line = error.lineno or 1
        reason = f"Python that this interpreter cannot parse: {error.msg.partition(' (detected at')[0]}"
    at = cell.line + line - 1 if cell.line is not None else None
    problems.append(unreadable(reason, _REMEDY, line=at, cell=cell.number))
    return None


def _dedented(source: str) -> str:
    """The text without the indentation of its first line, as notebooks run it."""
    lines = source.split("\n")
    first = next((line for line in lines if line.strip()), "")
    indent = first[: len(first) - len(first.lstrip())]
    return "\n".join(line.removeprefix(indent) for line in lines)


def _moves(state: State, access: Access) -> bool:
    """Is a table of hive_metastore read that the file moves into Unity Catalog?"""
    if not state.moved or access.access != "read" or access.address != "hive_metastore" or access.name is None:
        return False
    name = access.name.lower()
    return name in state.moved or name.rpartition(".")[0] in state.moved


def _written_out(state: State) -> tuple[Literal, ...]:
    """The literals, each name once: where its catalog is written, and by the call that uses it rather than by a keyword of
    that call. What is written through a variable counts as written where the variable gets its value.
    """
    told = {literal.named for literal in state.literals if literal.direct and literal.kind in _NAMES}
    written = {
        part
        for literal in state.literals
        if literal.is_write and literal.kind in _NAMES and not literal.direct
        for part in (literal.named, literal.value)
    }
    used = {
        (literal.named, literal.span.cell, line)
        for literal in state.literals
        if literal.kind in _USED and literal.is_write is not None
        for line in range(literal.span.line or 0, min(literal.span.end_line or 0, (literal.span.line or 0) + _MAX_LINES) + 1)
    }
    found = []
    for literal in state.literals:
        if not literal.direct:
            if literal.named in told:
                continue
            told.add(literal.named)
        place = (literal.named, literal.span.cell, literal.span.line or 0)
        if literal.kind not in _USED or literal.is_write is not None or place not in used:
            name = literal.named if literal.kind == "catalog" else literal.value
            is_written = literal.is_write is None and literal.kind in _NAMES and name in written
            found.append(literal._replace(is_write=True) if is_written else literal)
    return tuple(found)


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
