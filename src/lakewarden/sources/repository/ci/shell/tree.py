"""Shell scripts as trees: what runs, in which order, and on what it depends. A text that is no shell gives what it can."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from lakewarden.sources.repository.ci.shell.words import Operator, Token, Word, tokens

_MAX_DEPTH = 40
_MAX_NODES = 20_000
_REDIRECTS = frozenset({"<", ">", ">>", ">|", ">&", "<&", "<>", "&>", "&>>", "<<", "<<-", "<<<"})
_ENDS = frozenset({"then", "elif", "else", "fi", "do", "done", "esac", "}"})
_SEPARATORS = frozenset({";", "\n", "&"})
_CASE_ENDS = frozenset({";;", ";&", ";;&"})


class Simple(NamedTuple):
    """A command with its redirections."""

    words: tuple[Word, ...]
    redirects: tuple[tuple[str, Word], ...]
    line: int


class Test(NamedTuple):
    """`[[ … ]]`, with the operators among its words."""

    words: tuple[Word, ...]
    line: int


class Pipe(NamedTuple):
    """Commands whose outputs are the next one's input; `negated` by `!`."""

    items: tuple[Node, ...]
    negated: bool = False


class AndOr(NamedTuple):
    """`a && b || c`."""

    first: Node
    rest: tuple[tuple[str, Node], ...]


class Sequence(NamedTuple):
    """Statements one after the other, each with whether it runs in the background."""

    items: tuple[tuple[Node, bool], ...]


class If(NamedTuple):
    """Conditions with what runs under each, and what runs under none."""

    branches: tuple[tuple[Node, Node], ...]
    otherwise: Node | None


class Loop(NamedTuple):
    """`for name in words`, or `while` and `until` with a condition."""

    name: str
    words: tuple[Word, ...]
    condition: Node | None
    body: Node


class Case(NamedTuple):
    """`case word in`: patterns with what runs for them."""

    word: Word
    items: tuple[tuple[tuple[Word, ...], Node], ...]


class Group(NamedTuple):
    """`{ … }`, or `( … )` in a shell of its own."""

    body: Node
    own_shell: bool
    redirects: tuple[tuple[str, Word], ...] = ()


class Function(NamedTuple):
    """The definition of a function."""

    name: str
    body: Node


Node = Simple | Test | Pipe | AndOr | Sequence | If | Loop | Case | Group | Function
EMPTY = Sequence(())


@lru_cache(maxsize=1024)
def parse(text: str, first_line: int = 0) -> Sequence:
    """The tree of a script. What breaks the grammar is passed over, so that the rest is still read."""
    parser = _Parser(tokens(text, first_line))
    items: list[tuple[Node, bool]] = []
    while parser.token is not None:
        at = parser.at
        items.extend(parser.sequence().items)
        if parser.at == at:
            parser.at += 1  # an end without a beginning
    return Sequence(tuple(items))


class _Parser:
    """Reads tokens from `at` on; `depth` is how deep it is inside compound commands."""

    def __init__(self, found: list[Token]) -> None:
        self.tokens = found
        self.at = 0
        self.depth = 0
        self.left = _MAX_NODES

    @property
    def token(self) -> Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) and self.left > 0 else None

    def operator(self) -> str:
        token = self.token
        return token.text if isinstance(token, Operator) else ""

    def keyword(self) -> str:
        token = self.token
        return token.keyword if isinstance(token, Word) else ""

    def take(self, keyword: str) -> bool:
        """Pass over line ends and a keyword, if it is there."""
        at = self.at
        while self.operator() in (";", "\n"):
            self.at += 1
        if self.keyword() == keyword:
            self.at += 1
            return True
        self.at = at
        return False

    def sequence(self) -> Sequence:
        """Statements up to a keyword or bracket that ends them."""
        items: list[tuple[Node, bool]] = []
        while self.token is not None:
            if self.operator() in _SEPARATORS:
                self.at += 1
                continue
            if self.operator() == ")" or self.operator() in _CASE_ENDS or self.keyword() in _ENDS:
                break
            at = self.at
            node = self.and_or()
            if node is not None:
                items.append((node, self.operator() == "&"))
            if self.at == at:
                self.at += 1
        return Sequence(tuple(items))

    def and_or(self) -> Node | None:
        first = self.pipeline()
        rest: list[tuple[str, Node]] = []
        while self.operator() in ("&&", "||"):
            how = self.operator()
            self.at += 1
            while self.operator() == "\n":
                self.at += 1
            node = self.pipeline()
            if node is not None:
                rest.append((how, node))
        if first is None or not rest:
            return first
        return AndOr(first, tuple(rest))

    def pipeline(self) -> Node | None:
        negated = False
        while self.keyword() == "!":
            self.at += 1
            negated = not negated
        items = [self.command()]
        while self.operator() in ("|", "|&"):
            self.at += 1
            while self.operator() == "\n":
                self.at += 1
            items.append(self.command())
        found = tuple(item for item in items if item is not None)
        if len(found) == 1 and not negated:
            return found[0]
        return Pipe(found, negated) if found else None

    def command(self) -> Node | None:
        self.left -= 1
        if self.depth > _MAX_DEPTH:
            self.left = 0
            return None
        self.depth += 1
        try:
            return self._command()
        finally:
            self.depth -= 1

    def _command(self) -> Node | None:
        keyword = self.keyword()
        if self.operator() == "(":
            return self._brackets()
        compound = {
            "if": self._if, "for": self._for, "select": self._for, "while": self._while, "until": self._while,
            "case": self._case, "{": self._braces, "[[": self._test, "function": self._function,
        }.get(keyword)  # fmt: skip
        if compound is not None:
            self.at += 1
            node = compound()
            redirects = self._redirects()
            return Group(node, own_shell=False, redirects=redirects) if redirects else node
        return self._simple()

    def _brackets(self) -> Node:
        self.at += 1
        if self.operator() == "(":  # arithmetic
            depth = 1
            while depth and self.token is not None:
                depth += {"(": 1, ")": -1}.get(self.operator(), 0)
                self.at += 1
            if self.operator() == ")":
                self.at += 1
            return Test((), 0)
        body = self.sequence()
        if self.operator() == ")":
            self.at += 1
        return Group(body, own_shell=True, redirects=self._redirects())

    def _braces(self) -> Node:
        body = self.sequence()
        self.take("}")
        return Group(body, own_shell=False)

    def _test(self) -> Node:
        words: list[Word] = []
        line = self.token.line if self.token is not None else 0
        while (token := self.token) is not None:
            self.at += 1
            if isinstance(token, Operator):
                if token.text != "\n":
                    words.append(Word((token.text,), token.line))
            elif token.keyword == "]]":
                break
            else:
                words.append(token)
        return Test(tuple(words), line)

    def _if(self) -> Node:
        branches: list[tuple[Node, Node]] = []
        otherwise: Node | None = None
        while True:
            condition = self.sequence()
            self.take("then")
            branches.append((condition, self.sequence()))
            if not self.take("elif"):
                break
        if self.take("else"):
            otherwise = self.sequence()
        self.take("fi")
        return If(tuple(branches), otherwise)

    def _for(self) -> Node:
        name = self.keyword()
        self.at += 1
        words: list[Word] = []
        if self.take("in"):
            while isinstance(token := self.token, Word):
                words.append(token)
                self.at += 1
        return self._body(name, tuple(words), None)

    def _while(self) -> Node:
        return self._body("", (), self.sequence())

    def _body(self, name: str, words: tuple[Word, ...], condition: Node | None) -> Node:
        braces = not self.take("do") and self.take("{")
        body = self.sequence()
        self.take("}" if braces else "done")
        return Loop(name, words, condition, body)

    def _case(self) -> Node:
        found = self.token
        word = found if isinstance(found, Word) else Word((), 0)
        self.at += 1
        self.take("in")
        items: list[tuple[tuple[Word, ...], Node]] = []
        while not self.take("esac") and self.token is not None:
            patterns: list[Word] = []
            while self.operator() != ")" and (token := self.token) is not None:
                if isinstance(token, Word):
                    patterns.append(token)
                self.at += 1
            self.at += 1
            items.append((tuple(patterns), self.sequence()))
            if self.operator() in _CASE_ENDS:
                self.at += 1
        return Case(word, tuple(items))

    def _function(self) -> Node:
        name = self.keyword()
        self.at += 1
        if self.operator() == "(":
            self.at += 1
            if self.operator() == ")":
                self.at += 1
        return self._definition(name)

    def _definition(self, name: str) -> Node:
        while self.operator() == "\n":
            self.at += 1
        return Function(name, self.command() or EMPTY)

    def _simple(self) -> Node | None:
        words: list[Word] = []
        redirects: list[tuple[str, Word]] = []
        token = self.token
        line = token.line if token is not None else 0
        while (token := self.token) is not None:
            if isinstance(token, Word):
                words.append(token)
                self.at += 1
            elif token.text in _REDIRECTS:
                redirects.extend(self._redirects())
            elif token.text in ("<(", ">("):
                self.at += 1
                self.sequence()  # what feeds a command never decides whether it fails
                if self.operator() == ")":
                    self.at += 1
            elif token.text == "(" and len(words) == 1 and self._empty_brackets():
                self.at += 2
                return self._definition(words[0].keyword)
            else:
                break
        return Simple(tuple(words), tuple(redirects), line) if words or redirects else None

    def _empty_brackets(self) -> bool:
        after = self.tokens[self.at + 1] if self.at + 1 < len(self.tokens) else None
        return isinstance(after, Operator) and after.text == ")"

    def _redirects(self) -> tuple[tuple[str, Word], ...]:
        found: list[tuple[str, Word]] = []
        while self.operator() in _REDIRECTS:
            how = self.operator()
            self.at += 1
            if isinstance(token := self.token, Word):
                found.append((how, token))
                self.at += 1
        return tuple(found)
