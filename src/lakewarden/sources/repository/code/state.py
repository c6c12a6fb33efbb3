"""What is known while one file is read, statement by statement, and what was found in it so far."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from lakewarden.sources.repository.code.result import Access, Call, Import, Literal, Load, Lookup, Passed, Span, SqlStatement
from lakewarden.sources.repository.code.values import UNKNOWN, Value, merge

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable, Iterable, Iterator

    from lakewarden.sources.repository.code.site import Site

Names = dict[str, Value]


class Scope:
    """The names of a module, a function or a class. `now` is what holds after the last assignment read, `ever` what is
    true of all of them: what a function sees of the names around it.
    """

    __slots__ = ("ever", "globals", "name", "now", "outer")

    def __init__(self, name: str, outer: Scope | None = None) -> None:
        self.name = name
        self.outer = outer
        self.now: Names = {}
        self.ever: Names = {}
        self.globals: set[str] = set()

    def bind(self, name: str, value: Value) -> None:
        """Assign a name."""
        if name in self.globals:
            top = self
            while top.outer is not None:
                top = top.outer
            top.bind(name, merge(top.now.get(name, value), value))
            return
        self.now[name] = value
        before = self.ever.get(name)
        self.ever[name] = value if before is None else merge(before, value)

    def find(self, name: str) -> Value | None:
        """What is known of a name; None where nothing in the file binds it."""
        if name in self.now:
            return self.now[name]
        outer = self.outer
        while outer is not None:
            if name in outer.ever:
                return outer.ever[name]
            outer = outer.outer
        return None


class Function(NamedTuple):
    """A function of the file: its definition, the scope it stands in, its full name and the class it belongs to. `bound`
    tells that its first parameter is the object; `launched` that its parameters are options of a command.
    """

    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    outer: Scope
    name: str
    owner: Names | None
    bound: bool = False
    launched: bool = False


class Tables(NamedTuple):
    """How to read each kind of expression and of statement, and what a call of a function of the file returns."""

    expressions: dict[type[ast.AST], Callable[[State, Any], Value]]
    statements: dict[type[ast.AST], Callable[[State, Any], bool]]
    summarise: Callable[[State, Function, Site], Value]


class State:
    """The reading of one file."""

    def __init__(self, tables: Tables) -> None:
        self._expressions, self._statements, self._summarise = tables
        #: What to add to lines and columns of the text being read, and its cell.
        self.shift: tuple[int | None, int, int | None] = (0, 0, None)
        self.starts: tuple[int, ...] = ()
        #: The lines of the text being read.
        self.lines: list[str] = []
        self.scope = Scope("")
        self.module = self.scope
        #: Values of `self.x` of the class whose method is being read.
        self.owner: Names | None = None
        self.swallowing: list[bool | None] = []
        #: Texts that are only shown to people are no names of objects.
        self.dead = 0
        #: Reading a function again to learn what it returns finds nothing new.
        self.silent = 0
        #: Inside `if a > b` where one is the number of a found version.
        self.picking: bool | None = None
        self.steps = 0
        self.pending: list[Function] = []
        self.returned: list[Value] = []
        self.summaries: dict[int, Value] = {}
        self.busy: set[int] = set()
        #: How each function of the file is called: from which function, and whether its failure is passed over.
        self.sites: dict[str, list[tuple[str, bool | None]]] = {}
        #: How many branches the statement that is read stands in.
        self.branches = 0
        #: Inside a handler of exceptions; and every place where the file fails by its own decision.
        self.handling = 0
        self.checks: list[Call] = []
        self.imports: list[Import] = []
        self.calls: list[Call] = []
        self.literals: list[Literal] = []
        self.accesses: list[Access] = []
        self.loads: list[Load] = []
        self.lookups: list[Lookup] = []
        #: Tables and schemas of hive_metastore that the file moves into Unity Catalog.
        self.moved: set[str] = set()
        self.signs: set[str] = set()
        #: Files that a cell of the shell writes.
        self.of_shell: set[str] = set()
        #: What SQL declares; and texts that begin like such SQL, wherever they stand.
        self.statements: list[SqlStatement] = []
        self.perhaps: list[tuple[Value, Span]] = []
        #: Names that %run or `import *` may bring; names that the file reads.
        self.opened = False
        self.uses: set[str] = set()
        #: What other files may ask of this one: see `Extract`.
        self.returns: dict[str, Value] = {}
        self.owners: dict[str, Names] = {}
        #: What each class of the file extends.
        self.bases: dict[str, list[Value]] = {}
        self.defaults: dict[str, Value] = {}
        self.passed: list[Passed] = []
        self.functions: dict[str, Function] = {}
        #: Classes and functions of the file by full name: does MLflow know the signature of such a model? NULL where that
        #: depends on a class of another file.
        self.signed: dict[str, bool | None] = {}

    def span(self, node: ast.AST | Span) -> Span:
        """Where a node stands in the file."""
        if isinstance(node, Span):
            return node
        line, column, cell = self.shift
        first: int = node.lineno  # type: ignore[attr-defined]
        last: int = node.end_lineno or first  # type: ignore[attr-defined]
        if self.starts:
            from bisect import bisect_right

            cell = max(0, bisect_right(self.starts, first) - 1)
        if line is None:
            return Span(cell=cell)
        begin, end = node.col_offset, node.end_col_offset  # type: ignore[attr-defined]
        if column < 0:
            return Span(first + line, None, last + line, None, cell)
        return Span(first + line, begin + 1 + column, last + line, end + 1 + column, cell)

    @property
    def swallowed(self) -> bool | None:
        """Would the failure of a call made here be passed over?"""
        if True in self.swallowing:
            return True
        return None if None in self.swallowing else False

    def call(self, call: Call) -> int | None:
        """Keep a call; its number, or None while nothing is recorded."""
        if self.silent:
            return None
        self.calls.append(call)
        return len(self.calls) - 1

    def check(self) -> None:
        """Keep that the file fails here by its own decision, and not because something else failed before."""
        if not self.silent and not self.handling:
            self.checks.append(Call("check", Span(), swallowed=self.swallowed, function=self.scope.name))

    def access(self, access: Access) -> None:
        """Keep a read or a write."""
        if not self.silent:
            self.accesses.append(access)

    def literal(self, literal: Literal) -> None:
        """Keep a name that is written out."""
        if not self.silent and not self.dead:
            direct = literal.kind not in ("table", "catalog", "schema", "volume") or self._shows(
                literal.span, literal.named or ""
            )
            self.literals.append(literal if direct else literal._replace(direct=False))

    def _shows(self, span: Span, word: str) -> bool:
        """Does the text at a place hold a word? TRUE where the text is not at hand."""
        line = self.shift[0]
        if line is None or span.line is None or not self.lines:
            return True
        end = span.end_line or span.line
        return any(word in text.lower() for text in self.lines[span.line - line - 1 : end - line])

    @contextmanager
    def shown_only(self) -> Iterator[None]:
        """Texts read inside the block are only shown to people."""
        self.dead += 1
        try:
            yield
        finally:
            self.dead -= 1

    def evaluate(self, node: ast.expr | None) -> Value:
        """Read an expression; on the way every call in it is looked at once."""
        if node is None:
            return UNKNOWN
        handler = self._expressions.get(type(node))
        if handler is not None:
            return handler(self, node)
        for field in node._fields:
            child = getattr(node, field, None)
            for part in child if isinstance(child, list) else (child,):
                if type(part) in self._expressions:
                    self.evaluate(part)
        return UNKNOWN

    def run(self, body: Iterable[ast.stmt]) -> bool:
        """Read statements in order; TRUE when what follows them is never reached."""
        for statement in body:
            handler = self._statements.get(type(statement))
            if handler is not None and handler(self, statement):
                return True
        return False

    def summarise(self, function: Function, site: Site) -> Value:
        """What a call of a function of the file returns."""
        return self._summarise(self, function, site)

    def lookup(self, name: str) -> Value:
        """What is known of a name."""
        return self.scope.find(name) or UNKNOWN
