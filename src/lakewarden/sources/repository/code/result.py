"""What one file says: the frozen, picklable result of `extract`, a pure function of the file's bytes and path."""

from __future__ import annotations

from typing import Any, NamedTuple

#: Where a value stands that the file does not hold: what it starts from and the steps from there, each a name (of an
#: attribute, or a key), `*` for a key that is not known, or `Given` for a call. The first item is its kind:
#: `module` (the second is a dotted name), `?` (a name that %run or `import *` brings), `local` (a class or function of the
#: file), `arg` (a function and its parameter), `widget`, `option`, `env`, `conf`, `argv` (what the code is launched with),
#: `file` (a configuration file).
Symbol = tuple[Any, ...]


class Hole(NamedTuple):
    """A part of a text that is not known: where it comes from, the name that the code gives it, and where it stands."""

    source: str = ""
    name: str = ""
    symbol: Symbol = ()


class Known(NamedTuple):
    """What a file tells of a value: a text with holes, else a symbol; `fixed` where it is neither but None or a number."""

    text: str | None = None
    holes: tuple[Hole, ...] = ()
    source: str = ""
    name: str = ""
    symbol: Symbol = ()
    fixed: str | None = None


class Given(NamedTuple):
    """The arguments of a call of which something is known, by position (`"0"`), keyword or `**`. `whole` tells that no
    others may be there.
    """

    args: tuple[tuple[str, Known], ...] = ()
    whole: bool = True


class Passed(NamedTuple):
    """A call of a function that a file of the repository may define."""

    callee: Symbol
    given: Given


class Signature(NamedTuple):
    """The parameters of a function, without `self`: their names in order, defaults, and the classes that hints name."""

    params: tuple[str, ...]
    defaults: tuple[tuple[str, Known], ...] = ()
    hints: tuple[tuple[str, Symbol], ...] = ()


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
    `function` is the function of the file that the call stands in. `late` holds the arguments where one of them may be
    resolved with other files.
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
    late: tuple[tuple[str, Known], ...] = ()


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
    late: Known | None = None


class Access(NamedTuple):
    """A read, write or drop of data; the columns of `table_access`.

    `same` identifies the object within the file, also where its name is only partly known. `how` is `table`, `path` (of
    Spark), `place` (where a table is to lie, which is never a volume) or `file` (of Python); with `late` and `late_format` the name and the format may be resolved with other files.
    What is `doubted` counts only where the name then leads off the driver.
    """

    access: str
    address: str | None
    name: str | None
    format: str | None
    is_feature: bool | None
    span: Span
    same: str = ""
    unclear: tuple[str, ...] = ()
    how: str = "table"
    late: Known | None = None
    late_format: Known | None = None
    doubted: bool = False
    function: str = ""


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
    late: Known | None = None


class SqlName(NamedTuple):
    """A name in SQL as it is written, with its holes."""

    text: str
    holes: tuple[Hole, ...] = ()


class Granted(NamedTuple):
    """A privilege that is granted, revoked or denied (`verb`) on securables of a kind; `name` is None for a metastore. A
    privilege or a principal that is not known is a hole.
    """

    verb: str
    privileges: tuple[SqlName, ...]
    kind: str
    name: SqlName | None
    principals: tuple[SqlName, ...]
    span: Span


class Owned(NamedTuple):
    """A securable of a kind that is given an owner."""

    kind: str
    name: SqlName
    owner: SqlName
    span: Span


class KeyColumn(NamedTuple):
    """A column of a primary key, None where it is not known which; `is_timeseries` tells whether it is its time."""

    column: str | None
    is_timeseries: bool | None


class Made(NamedTuple):
    """A securable of a kind that is created or, with the verb `key`, given a primary key. `keys` are the columns of its
    primary key, None where they could not be read. `table_type` is as in the fact model, `temporary` for what no catalog holds.
    """

    verb: str
    kind: str
    name: SqlName
    span: Span
    table_type: str = "none"
    keys: tuple[KeyColumn, ...] | None = ()
    is_feature: bool = False


class Used(NamedTuple):
    """The current catalog (`kind` is `catalog`) or schema is changed; `sure` tells whether that always happens."""

    kind: str
    name: SqlName
    span: Span
    sure: bool = True


class Unread(NamedTuple):
    """A statement of which only the verb is known: `grant`, `key` or, where not even that, `any`."""

    verb: str
    reason: str
    span: Span


SqlStatement = Granted | Owned | Made | Used | Unread


class Extract(NamedTuple):
    """Everything that one file says. `signs` are the kinds of work that its calls show; `pins` what it pip-installs.

    `exports` are the values of its names (`NAME`, `Class.attribute`, `function()`), `defaults` those of what it is launched
    with (`widget:catalog`), `passed` the calls that hand values on. `uses` holds the names that it reads, `defines` its
    functions and classes, `stops` tells whether it can fail by its own decision, `statements` what
    its SQL declares, in order.
    """

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
    exports: dict[str, Known] = {}  # noqa: RUF012 - never changed
    defaults: dict[str, Known] = {}  # noqa: RUF012 - never changed
    passed: tuple[Passed, ...] = ()
    signatures: dict[str, Signature] = {}  # noqa: RUF012 - never changed
    uses: frozenset[str] = frozenset()
    defines: frozenset[str] = frozenset()
    stops: bool | None = None
    statements: tuple[SqlStatement, ...] = ()
