"""What one file says: the frozen, picklable result of `extract`, a pure function of the file's bytes and path."""

from __future__ import annotations

from typing import NamedTuple


class Span(NamedTuple):
    """A place in a file: lines and columns 1-based, `cell` the 0-based notebook cell. NULL where it is not known."""

    line: int | None = None
    column: int | None = None
    end_line: int | None = None
    end_column: int | None = None
    cell: int | None = None

    def holds(self, other: Span) -> bool:
        """Does the other place lie on the lines of this one, as far as lines are known?"""
        if self.cell != other.cell or self.line is None or other.line is None:
            return self.cell == other.cell
        return self.line <= other.line <= (self.end_line or self.line)


class Problem(NamedTuple):
    """A file or a cell that could not be read. `cause` is a gap class."""

    cause: str
    reason: str
    remedy: str
    span: Span


class Import(NamedTuple):
    """A module that is imported, absolute or with leading dots, and the names taken from it."""

    module: str
    names: tuple[str, ...]
    span: Span


class Call(NamedTuple):
    """A call that a rule asks about; the columns of `code_calls`.

    `doubtful` holds keywords that some versions of the library refuse; `unclear` says what could not be resolved.
    `function` is the function of the file that the call stands in.
    """

    api: str
    span: Span
    argument: str | None = "none"
    name_levels: int | None = 0
    path_place: str | None = "none"
    version_from: str | None = "none"
    model_from: str | None = "none"
    from_catalog: str | None = "none"
    to_catalog: str | None = "none"
    has_signature: bool | None = False
    disables: bool | None = False
    is_checkpoint: bool | None = False
    swallowed: bool | None = False
    doubtful: tuple[str, ...] = ()
    is_approval: bool | None = False
    unclear: tuple[str, ...] = ()
    function: str = ""


class Literal(NamedTuple):
    """A name of an object written out in code; the columns of `code_literals`.

    `direct` tells whether the catalog stands there in the text, rather than in a constant that is used there.
    """

    kind: str
    value: str
    named: str | None
    is_default: bool
    version_by: str | None
    span: Span
    is_write: bool | None = None
    direct: bool = True


class Access(NamedTuple):
    """A read, write or drop of data; the columns of `table_access`.

    `same` identifies the object within the file, also where its name is only partly known.
    """

    access: str
    address: str | None
    name: str | None
    format: str | None
    is_feature: bool | None
    span: Span
    same: str = ""
    unclear: tuple[str, ...] = ()


class Load(NamedTuple):
    """Code that the file runs or puts on its path."""

    how: str
    path: str | None
    path_place: str | None
    span: Span


class Lookup(NamedTuple):
    """A look-up of features in a table; `table` is None where its name is not known."""

    table: str | None
    by_time: bool | None
    span: Span


class Extract(NamedTuple):
    """Everything that one file says. `signs` are the kinds of work that its calls show; `pins` what it pip-installs."""

    language: str
    is_notebook: bool
    problems: tuple[Problem, ...] = ()
    imports: tuple[Import, ...] = ()
    calls: tuple[Call, ...] = ()
    literals: tuple[Literal, ...] = ()
    accesses: tuple[Access, ...] = ()
    loads: tuple[Load, ...] = ()
    lookups: tuple[Lookup, ...] = ()
    signs: frozenset[str] = frozenset()
    pins: tuple[str, ...] = ()
