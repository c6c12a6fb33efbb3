"""A shell on its way through a script, and what single commands do to it."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.ci.shell.endings import IGNORED, Outcome
from lakewarden.sources.repository.ci.shell.tree import parse
from lakewarden.sources.repository.ci.shell.values import ITEM, ROOT, Alternative, not_known
from lakewarden.sources.repository.ci.shell.words import Substitution, Variable, Word, tokens
from lakewarden.sources.repository.ci.workflow import HOLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakewarden.sources.repository.ci.shell.tree import Node, Simple
    from lakewarden.sources.repository.ci.shell.values import Guard, Variables

MAX_DEPTH = 20
#: A script that takes more steps than this, as by nested loops, is read no further.
MAX_STEPS = 20_000
_MAX_CHOICES = 8
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(\+?)=", re.DOTALL)
_DECLARING = frozenset({"export", "local", "declare", "readonly", "typeset"})
#: Variables that say to a command what its arguments do not.
_READ = ("DATABRICKS_BUNDLE_TARGET", "DATABRICKS_BUNDLE_ENV", "DATABRICKS_BUNDLE_ROOT", "BUNDLE_ROOT", "TF_WORKSPACE")


class Command(NamedTuple):
    """A command that may run. Unknown parts of `words` are HOLE; `folder` is None where it is not known.

    `ignored` tells whether the script ends well when the command fails. `given` are the variables that commands read,
    `fed` the here-document that it reads, `written` the files that it writes; `guards` are the conditions on its way.
    `variables` are those of the shell.
    """

    words: tuple[str, ...]
    line: int
    folder: str | None
    ignored: bool | None
    variables: Variables
    guards: tuple[Guard, ...] = ()
    given: dict[str, str] = {}  # noqa: RUF012 - never changed
    fed: str = ""
    written: tuple[str, ...] = ()


@dataclass
class Shell:
    """Its folder, variables and options. `exists` and `read` answer for paths from the root of the repository; `walk` walks
    through statements. `ended` is set where nothing that follows can run.
    """

    folder: str | None
    variables: Variables
    stops: bool | None
    pipefail: bool | None
    matters: bool | None
    asks_status: bool
    exists: Callable[[str], bool | None]
    read: Callable[[str], str | None]
    walk: Callable[[Shell, Node, Outcome, bool], None]
    guards: tuple[Guard, ...] = ()
    found: list[Command] = field(default_factory=list)
    functions: dict[str, Node] = field(default_factory=dict)
    folders: list[str | None] = field(default_factory=list)
    depth: int = 0
    steps: int = 0
    ended: bool = False

    def one(self, word: Word) -> str:
        """What a word comes to where that is one text."""
        return _one(self.variables, word)

    def path_exists(self, path: str) -> bool | None:
        """Is there such a file or folder in the repository?"""
        at = inside(self.folder, path)
        return None if at is None else self.exists(at)


def inside(folder: str | None, path: str) -> str | None:
    """A path from the root of the repository; None where it is not known, or leads out of it."""
    if path.startswith(ROOT):
        folder, path = "", path.removeprefix(ROOT).lstrip("/") or "."
    if folder is None or HOLE in path or "\1" in path or path.startswith(("/", "~", "-")):
        return None
    found = posixpath.normpath(posixpath.join(folder, path.replace("\\", "/")))
    return "" if found == "." else None if found.startswith("..") else found


def simple(shell: Shell, node: Simple, outcome: Outcome, *, suppressed: bool) -> None:
    """Carry out one command: assignments, what the shell does itself, or a program, which is noted."""
    words = list(node.words)
    alone = all(_is_assignment(word) for word in words)
    for part in (part for word in words for part in word.parts if isinstance(part, Substitution)):
        _substitution(shell, part, outcome if alone else IGNORED)
    variables = shell.variables if alone else shell.variables.copy() if _is_assignment(words[0]) else shell.variables
    while words and _is_assignment(words[0]):
        _assign(shell, variables, words.pop(0))
    if words:
        name = shell.one(words[0])
        if name in ("[", "test") or _builtin(shell, name, words, outcome, suppressed=suppressed):
            return
    fed, written = _redirects(shell, node)
    if words or written:
        _note(shell, words, node.line, outcome, variables, fed, written)


def _note(
    shell: Shell, words: list[Word], line: int, outcome: Outcome, variables: Variables, fed: str, written: tuple[str, ...]
) -> None:
    """Note a command, once for each combination of what its words may come to."""
    choices = [variables.expand(word) for word in words]
    is_tool = any(one.text.endswith(("databricks", "terraform", "tofu")) for choice in choices[:6] for one in choice)
    read = [name for name in _READ if name in variables.values] if is_tool else []
    choices += [variables.values[name] for name in read]
    count = 1
    for choice in choices:
        count *= len(choice)
    if count > _MAX_CHOICES:
        choices = [choice if len(choice) == 1 else (Alternative(HOLE, (not_known,)),) for choice in choices]
    ignored = None if outcome.stop is None else not outcome.stop
    for combination in product(*choices):
        guards = tuple(guard for one in combination for guard in one.guards)
        texts = tuple(piece for one, word in zip(combination, words, strict=False) for piece in _split(one.text, word))
        given = {name: one.text for name, one in zip(read, combination[len(words) :], strict=True)}
        shell.found.append(Command(texts, line, shell.folder, ignored, variables, shell.guards + guards, given, fed, written))


def _split(text: str, word: Word) -> list[str]:
    """The words that one word becomes: a variable that is not quoted may hold several."""
    if not text and (not word.quoted or any(isinstance(part, Variable) and part.how == "[@]" for part in word.parts)):
        return []
    if ITEM in text:
        return [item for item in text.split(ITEM) if item]
    if word.quoted or word.literal is not None or not (" " in text or "\n" in text):
        return [text]
    return text.split()


def _one(variables: Variables, word: Word) -> str:
    found = variables.expand(word)
    return found[0].text if len(found) == 1 else HOLE


def _is_assignment(word: Word) -> bool:
    first = word.parts[0] if word.parts else ""
    return isinstance(first, str) and _ASSIGNMENT.match(first) is not None


def _assign(shell: Shell, variables: Variables, word: Word) -> None:
    found = variables.expand(word)
    head = _ASSIGNMENT.match(word.parts[0]) if isinstance(word.parts[0], str) else None
    if head is None:
        return
    values = [Alternative(one.text.partition("=")[2], one.guards) for one in found]
    if len(values) == 1 and values[0].text.startswith("("):
        items = "".join(ITEM + _one(variables, item) for item in tokens(values[0].text[1:-1]) if isinstance(item, Word))
        before = variables.get(head[1]) if head[2] else None
        variables.set(head[1], [Alternative(one.text + items, one.guards) for one in before or (Alternative(""),)])
        return
    substituted = [part for part in word.parts if isinstance(part, Substitution)]
    if head[2]:
        values = [Alternative(HOLE)]
    elif substituted:
        at_root = shell.folder == "" and [part.text.strip() for part in substituted] == ["pwd"]
        values = [Alternative(ROOT if at_root else HOLE)]
    variables.set(head[1], values)


def _redirects(shell: Shell, node: Simple) -> tuple[str, tuple[str, ...]]:
    """The here-document that a command reads, and the files that it writes; `$NAME` for a variable."""
    fed, written = "", []
    for how, word in node.redirects:
        if how in ("<<", "<<-", "<<<"):
            fed = shell.one(word)
        elif how.startswith((">", "&>")):
            variable = word.parts[0] if len(word.parts) == 1 else None
            written.append(f"${variable.name}" if isinstance(variable, Variable) else shell.one(word))
    return fed, tuple(written)


def _substitution(shell: Shell, part: Substitution, outcome: Outcome) -> None:
    """Walk through `$(…)`, which is a shell of its own."""
    if shell.depth > MAX_DEPTH:
        return
    kept = shell.folder, shell.guards, shell.stops, shell.variables, shell.ended
    shell.variables = shell.variables.copy()
    shell.walk(shell, parse(part.text, part.line), Outcome(outcome.stop, outcome.stop), True)
    shell.folder, shell.guards, shell.stops, shell.variables, shell.ended = kept


def _builtin(shell: Shell, name: str, words: list[Word], outcome: Outcome, *, suppressed: bool) -> bool:
    """Carry out a command of the shell itself."""
    if name in ("exit", "return"):
        shell.ended = True
    elif name in ("source", ".") and len(words) > 1:
        at = inside(shell.folder, shell.one(words[1]))
        text = shell.read(at) if at is not None else None
        if text is not None and shell.depth < MAX_DEPTH:
            shell.walk(shell, parse(text), outcome, suppressed)
            shell.ended = False
    elif name in shell.functions:
        _call(shell, name, words[1:], outcome, suppressed=suppressed)
    else:
        return _changes(shell, name, words)
    return True


def _changes(shell: Shell, name: str, words: list[Word]) -> bool:
    """Change the folder, the variables or the options of the shell."""
    if name in _DECLARING:
        for word in words[1:]:
            if _is_assignment(word):
                _assign(shell, shell.variables, word)
    elif name in ("cd", "pushd"):
        arguments = [text for text in map(shell.one, words[1:]) if not text.startswith("-")]
        if name == "pushd":
            shell.folders.append(shell.folder)
        shell.folder = inside(shell.folder, arguments[0]) if arguments else None
    elif name == "popd":
        shell.folder = shell.folders.pop() if shell.folders else None
    elif name == "set":
        _set(shell, [shell.one(word) for word in words[1:]])
    else:
        return False
    return True


def _call(shell: Shell, name: str, words: list[Word], outcome: Outcome, *, suppressed: bool) -> None:
    """Walk through a function with its arguments."""
    if shell.depth > MAX_DEPTH:
        return
    arguments = [shell.variables.expand(word) for word in words]
    kept = {n: value for n, value in shell.variables.values.items() if n.isdigit()}
    for n in kept:
        del shell.variables.values[n]
    for at, values in enumerate(arguments, 1):
        shell.variables.set(str(at), values)
    shell.walk(shell, shell.functions[name], outcome, suppressed)
    shell.ended = False
    for at in range(1, len(arguments) + 1):
        shell.variables.values.pop(str(at), None)
    shell.variables.values.update(kept)


def _set(shell: Shell, options: list[str]) -> None:
    for at, option in enumerate(options):
        on = option.startswith("-")
        if option[:1] not in ("-", "+") or option.startswith("--"):
            continue
        if "e" in option[1:]:
            shell.stops = on
        if option.endswith("o") and at + 1 < len(options):
            if options[at + 1] == "pipefail":
                shell.pipefail = on
            elif options[at + 1] == "errexit":
                shell.stops = on
