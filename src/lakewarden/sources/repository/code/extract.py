"""Extract: a pure function of the bytes and the path of a file."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from typing import TYPE_CHECKING

from lakewarden.sources.repository.code import access, sessions, workspace_store
from lakewarden.sources.repository.code.cells import Cell, Document, blank_magics, split_source, unreadable
from lakewarden.sources.repository.code.conclude import passed_over, stops, written_out
from lakewarden.sources.repository.code.declared import perhaps_run
from lakewarden.sources.repository.code.definitions import run_pending, summarise
from lakewarden.sources.repository.code.experiments import told
from lakewarden.sources.repository.code.expressions import EXPRESSIONS
from lakewarden.sources.repository.code.loads import run_magic
from lakewarden.sources.repository.code.notebook import read_notebook
from lakewarden.sources.repository.code.result import Access, Extract, Given, Known, Problem, Span
from lakewarden.sources.repository.code.state import State, Tables
from lakewarden.sources.repository.code.statements import STATEMENTS
from lakewarden.sources.repository.code.symbols import exports, signatures
from lakewarden.sources.repository.code.values import HOLE, storable
from lakewarden.sources.repository.sql.order import in_order, names_in
from lakewarden.sources.repository.sql.read import is_foreign
from lakewarden.sources.repository.sql.tokens import MAX_SQL, plain, unclosed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lakewarden.sources.repository.code.result import Symbol

_LONG = 60_000
_STATEMENT = re.compile(r"\n(?=[A-Za-z_@#])")

#: How deep arguments of calls are looked into.
_MAX_DEPTH = 3
LANGUAGES = {".py": "python", ".ipynb": "python", ".sql": "sql", ".scala": "scala", ".r": "r"}

_TABLES = Tables(EXPRESSIONS, STATEMENTS, summarise)
_REMEDY = "correct it, or exclude the file"
_NOT_READ = {"scala": "Scala", "r": "R"}
_PIN = re.compile(r"[\"']?(mlflow(?:-skinny)?)(?:\[[\w,]*\])?\s*((?:[=<>~!]=?=?\s*[\w.*]+\s*,?\s*)*)", re.IGNORECASE)
_WRITTEN = re.compile(r"(?:>|>>|\btee|\s-[oO]|--output)[ \t]*(/dbfs/[\w./-]+)")
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
            pins.extend(_pins(cell.source) if "pip install" in cell.source else ())
        else:
            pins.extend(_pins(cell.source) if "pip install" in cell.source else ())
            state.of_shell.update(_WRITTEN.findall(cell.source) if "/dbfs/" in cell.source else ())
    if python:
        _read_python(state, document, python, problems)
        perhaps_run(state)
    found = Extract(
        document.language,
        document.is_notebook,
        tuple(problems),
        tuple(state.imports),
        told(passed_over(state, workspace_store.told_once(state.signs, state.calls))),
        written_out(state),
        sessions.placed(
            state.signs, [access for access in state.accesses if not _moves(state, access)], notebook=document.is_notebook
        ),
        tuple(state.loads),
        tuple(state.lookups),
        frozenset(state.signs),
        tuple(pins),
        exports(state),
        {name: kept for name, value in state.defaults.items() if (kept := storable(value)) is not None},
        tuple(state.passed),
        uses=frozenset(state.uses),
        defines=frozenset((*state.functions, *state.owners)),
        stops=stops(state),
        statements=in_order(state),
    )
    return found._replace(signatures=signatures(state, _symbols(found)))


def _symbols(found: Extract) -> Iterator[Symbol]:
    """Every symbol that the extract holds."""
    late = [kept for call in found.calls for _, kept in call.late]
    late.extend(kept for access in found.accesses for kept in (access.late, access.late_format) if kept is not None)
    late.extend(literal.late for literal in found.literals if literal.late is not None)
    late.extend(lookup.late for lookup in found.lookups if lookup.late is not None)
    late.extend(found.exports.values())
    late.extend(Known(name.text, name.holes) for statement in found.statements for name in names_in(statement) if name.holes)
    todo = [(kept, 0) for kept in late]
    todo.extend((kept, 1) for passed in found.passed for _, kept in passed.given.args)
    while todo:
        kept, depth = todo.pop()
        for symbol in (kept.symbol, *(hole.symbol for hole in kept.holes)):
            if symbol:
                yield symbol
                if depth < _MAX_DEPTH:
                    todo.extend((arg, depth + 1) for part in symbol if isinstance(part, Given) for _, arg in part.args)


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
    sql = plain(cell.source)
    if cell.number is None and is_foreign(sql.sql):
        return
    if len(cell.source) > MAX_SQL:
        line = None if cell.line is None else cell.line + cell.source.count("\n", 0, MAX_SQL)
        reason = f"SQL of more than {MAX_SQL:,} characters, which is read only so far"
        problems.append(Problem("unresolved", reason, "split the file", Span(line=line, cell=cell.number)))
    cut = unclosed(cell.source)
    if cut is not None:
        line = None if cell.line is None else cell.line + cell.source.count("\n", 0, cut)
        problems.append(
            Problem("failed", "SQL with a quotation mark that is never closed", "close it", Span(line=line, cell=cell.number))
        )

    def place(at: int) -> Span:
        line = None if cell.line is None else cell.line + sql.sql.count("\n", 0, at)
        return Span(line=line, end_line=line, cell=cell.number)

    access.read_sql(state, sql, place, sure=True)


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
    """The text without the indentation of its first line of code, as notebooks run it: Databricks may have put comments first."""
    lines = source.split("\n")
    first = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    indent = first[: len(first) - len(first.lstrip())]
    return "\n".join(line.removeprefix(indent) for line in lines)


def _moves(state: State, access: Access) -> bool:
    """Is a table of hive_metastore read that the file moves into Unity Catalog?"""
    if not state.moved or access.access != "read" or access.address != "hive_metastore" or access.name is None:
        return False
    name = access.name.lower()
    return name in state.moved or name.rpartition(".")[0] in state.moved
