"""Shell text as tokens: words with their quoting resolved, operators, line ends. What is not understood is kept as text."""

from __future__ import annotations

import re
from typing import NamedTuple

#: Longer texts are no scripts.
MAX_TEXT = 200_000
_MAX_NESTED = 20

_BLANK = re.compile(r"(?:[ \t\r]|\\\r?\n)+")
_OPERATOR = re.compile(
    r"\r?\n|&&|\|\||;;&|;;|;&|;|\|&|\||&>>|&>|\d?<<<|\d?<<-?|\d?>>|\d?>\||\d?>&|\d?<&|\d?<>|[<>]\(|\d?>|\d?<|&|\(|\)"
)
_PLAIN = re.compile(r"[^\s\"'\\$`&|;()<>]+")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-]")
_BRACED = re.compile(r"([A-Za-z_][\w.]*|[0-9]+|[@*#?$!-])(?:(\[[@*]\])|(:?[-=?+]|##?|%%?|//?|,,?|\^\^?)(.*))?", re.DOTALL)
_MACRO = re.compile(r"\(([A-Za-z_][\w.\-]*)\)")
_DOUBLE_ESCAPED = re.compile(r"\\([$`\"\\])|\\\n")
#: Names in `$(name)` that are commands; any other is a variable of Azure Pipelines.
_COMMANDS = frozenset({"pwd", "date", "whoami", "hostname", "nproc", "uname", "id", "ls", "true", "false", "env", "tty", "arch"})


class Variable(NamedTuple):
    """A variable in a word; `how` and `rest` are the operator and what follows it in `${name:-rest}`. `${name[@]}` has the
    operator `[@]`.
    """

    name: str
    how: str = ""
    rest: str = ""


class Substitution(NamedTuple):
    """A command in a word."""

    text: str
    line: int


Part = str | Variable | Substitution


class Word(NamedTuple):
    """A word: its parts, the line on which it begins, and whether any of it is quoted."""

    parts: tuple[Part, ...]
    line: int
    quoted: bool = False

    @property
    def literal(self) -> str | None:
        """Its text where that is fixed."""
        if not self.parts:
            return ""
        return self.parts[0] if len(self.parts) == 1 and isinstance(self.parts[0], str) else None

    @property
    def keyword(self) -> str:
        """Its text where it can be a reserved word."""
        return "" if self.quoted else self.literal or ""


class Operator(NamedTuple):
    """An operator, or a line end."""

    text: str
    line: int


Token = Word | Operator


def tokens(text: str, first_line: int = 0) -> list[Token]:
    """The tokens of a script. Here-documents follow their operator as one word."""
    return _Lexer(text[:MAX_TEXT], first_line).run()


class _Lexer:
    """One text; `at` is where it is read, `line` the line of that."""

    def __init__(self, text: str, line: int) -> None:
        self.text = text
        self.at = 0
        self.line = line
        self.found: list[Token] = []
        self.pending: list[tuple[int, bool]] = []

    def run(self) -> list[Token]:
        text, end = self.text, len(self.text)
        while self.at < end:
            blank = _BLANK.match(text, self.at)
            if blank is not None:
                self._advance(blank.end())
            elif text[self.at] == "#":
                stop = text.find("\n", self.at)
                self.at = end if stop < 0 else stop
            elif (operator := self._operator()) is not None:
                self._take(operator)
            else:
                self.found.append(self._word())
        return self.found

    def _operator(self) -> re.Match[str] | None:
        found = _OPERATOR.match(self.text, self.at)
        if found is None or (found[0][0].isdigit() and self.at and not self.text[self.at - 1].isspace()):
            return None
        return found

    def _take(self, operator: re.Match[str]) -> None:
        what = operator[0].lstrip("0123456789")
        self.found.append(Operator("\n" if what.endswith("\n") else what, self.line))
        self._advance(operator.end())
        if what in ("<<", "<<-"):
            self.pending.append((len(self.found), what == "<<-"))
        elif what.endswith("\n") and self.pending:
            self._documents()

    def _documents(self) -> None:
        """Read the here-documents that begin on the line before; each takes the place of the word that ends it."""
        for at, tabs in self.pending:
            mark = self.found[at] if at < len(self.found) else None
            if not isinstance(mark, Word):
                continue
            end = "".join(part for part in mark.parts if isinstance(part, str))
            start, line = self.at, self.line
            body = self._until(end, tabs=tabs)
            parts = (body,) if mark.quoted else tuple(_parts_of_double(body, line)) if self.at > start else ()
            self.found[at] = Word(parts, line, quoted=True)
        self.pending.clear()

    def _until(self, mark: str, *, tabs: bool) -> str:
        start = self.at
        while self.at < len(self.text):
            stop = self.text.find("\n", self.at)
            stop = len(self.text) if stop < 0 else stop
            line = self.text[self.at : stop].rstrip("\r")
            here = self.at
            self._advance(min(stop + 1, len(self.text)))
            if (line.lstrip("\t") if tabs else line) == mark or line.strip() == mark:
                return self.text[start:here]
        return self.text[start:]

    def _advance(self, to: int) -> None:
        self.line += self.text.count("\n", self.at, to)
        self.at = to

    def _word(self) -> Word:
        parts: list[Part] = []
        line, quoted, text = self.line, False, self.text
        start = self.at
        while self.at < len(text):
            char = text[self.at]
            if (plain := _PLAIN.match(text, self.at)) is not None:
                parts.append(plain[0])
                self.at = plain.end()
            elif char == "\\":
                if text[self.at + 1 : self.at + 2] in ("\n", "\r"):
                    break
                parts.append(text[self.at + 1 : self.at + 2])
                quoted = True
                self._advance(self.at + 2)
            elif char == "'":
                stop = text.find("'", self.at + 1)
                stop = len(text) if stop < 0 else stop
                parts.append(text[self.at + 1 : stop])
                quoted = True
                self._advance(stop + 1)
            elif char == '"':
                parts.extend(self._double())
                quoted = True
            elif char in "$`":
                part, stop = _expansion(text, self.at, self.line)
                parts.append(part)
                self._advance(stop)
            elif char == "(" and self.at > start and text[self.at - 1] == "=":
                stop = closing(text, self.at)  # an array
                parts.append(text[self.at : stop])
                self._advance(stop)
            else:
                break
        return Word(tuple(_joined(parts)), line, quoted)

    def _double(self) -> list[Part]:
        stop = _end_of_double(self.text, self.at + 1)
        body = self.text[self.at + 1 : stop]
        line = self.line
        self._advance(min(stop + 1, len(self.text)))
        return _parts_of_double(body, line)


def _end_of_double(text: str, at: int) -> int:
    """Where a double-quoted text ends; quotes inside `$(…)` do not end it."""
    while at < len(text):
        char = text[at]
        if char == '"':
            return at
        if char == "\\":
            at += 2
        elif char == "$" and text[at + 1 : at + 2] in ("(", "{"):
            at = closing(text, at + 1)
        else:
            at += 1
    return len(text)


def closing(text: str, at: int, depth: int = 0) -> int:
    """The place behind the bracket that closes the one at `at`."""
    pairs = {"(": ")", "{": "}"}
    end = pairs[text[at]]
    at += 1
    while at < len(text) and depth <= _MAX_NESTED:
        char = text[at]
        if char == end:
            return at + 1
        if char == "\\":
            at += 2
        elif char == "'":
            stop = text.find("'", at + 1)
            at = len(text) if stop < 0 else stop + 1
        elif char == '"':
            at = _end_of_double(text, at + 1) + 1
        elif char not in "({" or (char == "{" and text[at - 1] != "$"):
            at += 1
        else:
            at = closing(text, at, depth + 1)
    return len(text)


def _parts_of_double(body: str, line: int) -> list[Part]:
    """The parts of a double-quoted text or a here-document."""
    parts: list[Part] = []
    at = start = 0
    while at < len(body):
        if body[at] == "\\":
            at += 2
        elif body[at] in "$`":
            if at > start:
                parts.append(_DOUBLE_ESCAPED.sub(lambda found: found[1] or "", body[start:at]))
            part, at = _expansion(body, at, line + body.count("\n", 0, at))
            parts.append(part)
            start = at
        else:
            at += 1
    if start < len(body):
        parts.append(_DOUBLE_ESCAPED.sub(lambda found: found[1] or "", body[start:]))
    return parts


def _expansion(text: str, at: int, line: int) -> tuple[Part, int]:
    """What a `$` or a backtick begins, and where it ends."""
    if text[at] == "`":
        stop = text.find("`", at + 1)
        stop = len(text) if stop < 0 else stop
        return Substitution(text[at + 1 : stop], line), stop + 1
    if text.startswith("${{", at):
        stop = text.find("}}", at)
        stop = len(text) if stop < 0 else stop + 2
        return Variable(text[at:stop]), stop
    if text.startswith("$((", at):
        stop = closing(text, at + 1)
        return Variable("$(("), stop
    if text.startswith("$(", at):
        macro = _MACRO.match(text, at + 1)
        if macro is not None and macro[1] not in _COMMANDS:
            return Variable(macro[1].replace(".", "_")), macro.end()
        stop = closing(text, at + 1)
        return Substitution(text[at + 2 : stop - 1], line), stop
    if text.startswith("${", at):
        stop = closing(text, at + 1)
        braced = _BRACED.fullmatch(text[at + 2 : stop - 1])
        return (Variable(braced[1], braced[2] or braced[3] or "", braced[4] or "") if braced else Variable("${")), stop
    if text.startswith("$'", at):
        stop = text.find("'", at + 2)
        stop = len(text) if stop < 0 else stop
        return text[at + 2 : stop], stop + 1
    name = _NAME.match(text, at + 1)
    return ("$", at + 1) if name is None else (Variable(name[0]), name.end())


def _joined(parts: list[Part]) -> list[Part]:
    """The parts with neighbouring texts made one."""
    joined: list[Part] = []
    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        else:
            joined.append(part)
    return joined
