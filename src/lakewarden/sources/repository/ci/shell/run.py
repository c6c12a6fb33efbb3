"""Walks through a script: each command that it may run, with its folder, its variables and what its failure leads to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.ci.shell.conditions import joined, matches, opposite, test
from lakewarden.sources.repository.ci.shell.endings import IGNORED, Outcome, ends_badly, exits, is_test
from lakewarden.sources.repository.ci.shell.state import MAX_DEPTH, MAX_STEPS, Command, Shell, simple
from lakewarden.sources.repository.ci.shell.tree import (
    AndOr,
    Case,
    Function,
    Group,
    If,
    Loop,
    Node,
    Pipe,
    Sequence,
    Simple,
    Test,
    parse,
)  # fmt: skip
from lakewarden.sources.repository.ci.shell.values import Alternative, Variables, not_known
from lakewarden.sources.repository.ci.ternary import every, some
from lakewarden.sources.repository.ci.workflow import HOLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakewarden.sources.repository.ci.shell.conditions import Answer
    from lakewarden.sources.repository.ci.shell.values import Guard
    from lakewarden.sources.repository.ci.shell.words import Word

    Branch = tuple[tuple[Guard, ...], Node]

_MAX_COMMANDS = 2000
_MAX_LOOPS = 12
#: The words of what stands for the rest of a script that is too long.
NOT_READ = (HOLE, HOLE)


class Settings(NamedTuple):
    """How a shell starts: does it stop at the first failure, and does a pipe fail with any of its commands? `matters` tells
    whether the failure of the whole script counts.
    """

    stops: bool | None
    pipefail: bool | None
    matters: bool | None = True


def run(
    text: str, folder: str | None, variables: Variables, settings: Settings, *, exists: Callable[[str], bool | None],
    read: Callable[[str], str | None], first_line: int = 0, guards: tuple[Guard, ...] = (),
) -> list[Command]:  # fmt: skip
    """Every command of a script. `exists` and `read` answer for paths from the root of the repository; the variables are
    left as the script leaves them.
    """
    asks = "$?" in text or "PIPESTATUS" in text
    shell = Shell(folder, variables, settings.stops, settings.pipefail, settings.matters, asks, exists, read, _walk, guards)
    _walk(shell, parse(text, first_line), Outcome(settings.matters, settings.matters), suppressed=False)
    if shell.variables is not variables:
        variables.values = shell.variables.values
    if shell.steps > MAX_STEPS or len(shell.found) > _MAX_COMMANDS:
        shell.found.append(Command(NOT_READ, 0, None, None, variables))
    return shell.found


def _walk(shell: Shell, node: Node, outcome: Outcome, suppressed: bool) -> None:
    """Walk through one node. `outcome` is what its failure means; `suppressed` where the shell does not stop at a failure,
    as in a condition.
    """
    shell.steps += 1
    if shell.depth > MAX_DEPTH or shell.ended or shell.steps > MAX_STEPS:
        return
    shell.depth += 1
    if isinstance(node, Function):
        shell.functions[node.name] = node.body
    else:
        handle = _HANDLERS.get(type(node))
        if handle is not None:
            handle(shell, node, outcome, suppressed=suppressed)
    shell.depth -= 1


def _statements(shell: Shell, node: Sequence, outcome: Outcome, *, suppressed: bool) -> None:
    for at, (item, background) in enumerate(node.items):
        if len(shell.found) > _MAX_COMMANDS or shell.steps > MAX_STEPS:
            return
        stop = False if suppressed else every((shell.stops, shell.matters))
        if stop is False and shell.asks_status and shell.matters and not suppressed:
            stop = None  # the script may look at `$?` itself
        status = outcome.status if at == len(node.items) - 1 else False
        _walk(shell, item, IGNORED if background else Outcome(some((stop, status)), status), suppressed)


def _pipe(shell: Shell, node: Pipe, outcome: Outcome, *, suppressed: bool) -> None:
    if node.negated and not suppressed:
        outcome = IGNORED
    before = Outcome(every((shell.pipefail, outcome.stop)), every((shell.pipefail, outcome.status)))
    matters = shell.matters
    for item in node.items:
        here = outcome if item is node.items[-1] else before
        shell.matters = here.stop
        _walk(shell, item, here, suppressed)
    shell.matters = matters


def _and_or(shell: Shell, node: AndOr, outcome: Outcome, *, suppressed: bool) -> None:
    nodes = [node.first, *(item for _, item in node.rest)]
    hows = [how for how, _ in node.rest]
    before = guards = shell.guards
    state: Answer = shell_answer(shell, node.first)
    _walk(shell, node.first, _of_part(shell, nodes, hows, 0, outcome), True)
    for at, how in enumerate(hows, 1):
        condition = state if how == "&&" else opposite(state)
        if condition is False:
            continue
        item = nodes[at]
        guard = (condition,) if callable(condition) else (not_known,) if condition is None and is_test(nodes[at - 1]) else ()
        guards = (guards if how == "&&" else before) + guard
        shell.guards = guards
        last = at == len(hows)
        _walk(shell, item, _of_part(shell, nodes, hows, at, outcome), suppressed or not last)
        shell.guards = before
        if shell.ended:
            shell.ended = condition is True
            _only_if(shell, opposite(condition), item, tested=is_test(nodes[at - 1]))
            return
        state = shell_answer(shell, item) if condition is True else None


def _of_part(shell: Shell, nodes: list[Node], hows: list[str], at: int, outcome: Outcome) -> Outcome:
    """What the failure of one part of `a && b || c` means."""
    if at == len(hows):
        return outcome
    for later in range(at, len(hows)):
        if hows[later] == "||":
            rescue = nodes[later + 1]
            fails = ends_badly(rescue)
            if fails and exits(rescue):
                return Outcome(shell.matters, shell.matters)
            return Outcome(every((fails, outcome.stop)), every((fails, outcome.status)))
    # The list fails as a whole, and a shell does not stop at that: only its status is left.
    return Outcome(outcome.status, outcome.status)


def _only_if(shell: Shell, condition: Answer, exit_: Node, *, tested: bool) -> None:
    """What follows runs only under a condition, because the script ends otherwise. Checks that fail a script are passed."""
    if callable(condition):
        shell.guards = (*shell.guards, condition)
    elif condition is None and tested and not ends_badly(exit_):
        shell.guards = (*shell.guards, not_known)


def _if(shell: Shell, node: If, outcome: Outcome, *, suppressed: bool) -> None:
    guards: tuple[Guard, ...] = ()
    branches: list[Branch] = []
    for condition, body in node.branches:
        answer = shell_answer(shell, condition)
        _walk(shell, condition, _of_condition(shell, condition, body, node), True)
        if answer is False:
            continue
        yes, no = _sides(answer)
        branches.append(((*guards, *yes), body))
        guards = (*guards, *no)
        if answer is True:
            break
    else:
        branches.append((guards, node.otherwise or Sequence(())))
    _branches(shell, branches, outcome, suppressed=suppressed)


def _of_condition(shell: Shell, condition: Node, body: Node, node: If) -> Outcome:
    """What the failure of a condition means: that the other side runs."""
    only = condition.items[-1][0] if isinstance(condition, Sequence) and condition.items else condition
    side = body if isinstance(only, Pipe) and only.negated else node.otherwise
    fails = every((ends_badly(side), shell.matters)) if side is not None else False
    return Outcome(fails, fails)


def _branches(shell: Shell, branches: list[Branch], outcome: Outcome, *, suppressed: bool) -> None:
    """Walk through sides of which one runs, and join what they leave behind."""
    if len(branches) == 1 and not branches[0][0]:
        _walk(shell, branches[0][1], outcome, suppressed)
        return
    before, variables, folder = shell.guards, shell.variables, shell.folder
    left: list[tuple[tuple[Guard, ...], Variables]] = []
    folders: set[str | None] = set()
    fatal = True
    for guards, body in branches:
        shell.guards, shell.variables, shell.folder = before + guards, variables.copy(), folder
        _walk(shell, body, outcome, suppressed)
        if shell.ended:
            fatal = fatal and ends_badly(body) is True
        else:
            left.append((guards, shell.variables))
            folders.add(shell.folder)
        shell.ended = False
    shell.guards, shell.variables, shell.ended = before, variables, not left
    shell.folder = folders.pop() if len(folders) == 1 else None
    variables.merge(left)
    if len(left) == 1 and len(branches) > 1:
        # All other sides end the script: what follows runs under this one's conditions.
        shell.guards = before + tuple(guard for guard in left[0][0] if not (fatal and guard is not_known))


def _loop(shell: Shell, node: Loop, outcome: Outcome, *, suppressed: bool) -> None:
    before = shell.guards
    if node.condition is not None:
        _walk(shell, node.condition, Outcome(None, None), True)
        shell.guards = (*before, not_known)
        _walk(shell, node.body, outcome, suppressed)
    else:
        values = [text for word in node.words for text in _items(shell, word)] or [HOLE]
        for value in values if len(values) <= _MAX_LOOPS else [HOLE]:
            if shell.steps > MAX_STEPS:
                break
            shell.variables.set(node.name, (Alternative(value),))
            _walk(shell, node.body, outcome, suppressed)
    shell.guards, shell.ended = before, False


def _items(shell: Shell, word: Word) -> list[str]:
    """The items that a word of `for` gives."""
    found = [one.text for one in shell.variables.expand(word)]
    return found if word.quoted else [item for text in found for item in text.split()]


def _case(shell: Shell, node: Case, outcome: Outcome, *, suppressed: bool) -> None:
    text = shell.one(node.word)
    guards: tuple[Guard, ...] = ()
    branches: list[Branch] = []
    for words, body in node.items:
        patterns = [one.text for pattern in words for one in shell.variables.expand(pattern)]
        answer = True if "*" in patterns else matches(text, patterns)
        if answer is False:
            continue
        yes, no = _sides(answer)
        branches.append(((*guards, *yes), body))
        guards = (*guards, *no)
        if answer is True:
            break
    else:
        branches.append((guards, Sequence(())))
    _branches(shell, branches, outcome, suppressed=suppressed)


def _group(shell: Shell, node: Group, outcome: Outcome, *, suppressed: bool) -> None:
    if not node.own_shell:
        _walk(shell, node.body, outcome, suppressed)
        return
    kept = shell.folder, shell.stops, shell.pipefail, shell.guards, shell.variables, shell.matters
    shell.variables, shell.matters = shell.variables.copy(), outcome.stop
    _walk(shell, node.body, Outcome(outcome.stop, outcome.stop), suppressed)
    shell.folder, shell.stops, shell.pipefail, shell.guards, shell.variables, shell.matters = kept
    shell.ended = False


def shell_answer(shell: Shell, node: Node) -> Answer:
    """The answer of a condition; None where it is a command like any other, or cannot be told."""
    if isinstance(node, Sequence):
        return shell_answer(shell, node.items[0][0]) if len(node.items) == 1 else None
    if isinstance(node, Pipe):
        return opposite(shell_answer(shell, node.items[0])) if node.negated and len(node.items) == 1 else None
    if isinstance(node, Test):
        return test([shell.one(word) for word in node.words], shell.path_exists)
    if isinstance(node, AndOr):
        answer = shell_answer(shell, node.first)
        for how, item in node.rest:
            answer = joined(answer, shell_answer(shell, item), either=how == "||")
        return answer
    if not isinstance(node, Simple) or not node.words:
        return None
    name = node.words[0].keyword
    if name in ("true", "false", ":"):
        return name != "false"
    words = node.words[1:-1] if name == "[" else node.words[1:]
    return test([shell.one(word) for word in words], shell.path_exists) if name in ("[", "test") else None


def _sides(answer: Answer) -> tuple[tuple[Guard, ...], tuple[Guard, ...]]:
    """The conditions of both sides."""
    if isinstance(answer, bool):
        return (), ()
    if answer is None:
        return (not_known,), (not_known,)
    other = opposite(answer)
    return (answer,), (other,) if callable(other) else ()


_HANDLERS: dict[type, Callable[..., None]] = {
    Simple: simple,
    Sequence: _statements,
    Pipe: _pipe,
    AndOr: _and_or,
    If: _if,
    Loop: _loop,
    Case: _case,
    Group: _group,
}
