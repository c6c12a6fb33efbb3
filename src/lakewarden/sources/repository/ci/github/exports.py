"""What a script leaves for later steps: variables and outputs, as far as they can be told before a run."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.ci.github.values import Object, Unknown, Value, anything
from lakewarden.sources.repository.ci.workflow import HOLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lakewarden.sources.repository.ci.shell.state import Command
    from lakewarden.sources.repository.ci.workflow import Situation

#: A script with none of these leaves nothing.
LEAVING = ("GITHUB_ENV", "GITHUB_OUTPUT", "::set-output")

#: What CI is configured with, which a script finds filled in; of what else is unknown it cannot be told.
_WRITTEN = r"(?s)\$\{\{(?! github\.).*?\}\}"
_OPEN = "\1unknown\2"
_NAME = r"\b([A-Za-z_][\w-]*)="
_PLAIN = r"\s*echo\s+[\"']?[A-Za-z_][\w-]*=[^|&;]*>>\s*[\"']?\$\{?GITHUB_(?:ENV|OUTPUT)\}?[\"']?\s*;?\s*"
_ASSIGNED = r"([A-Za-z_][\w-]*)=(.*)"
_SET_OUTPUT = r"::set-output\s+name=([\w-]+)::(.*)"
_SHELLS = ("", "bash", "sh")
_PRINTING = frozenset({"echo", "printf"})


class Exports(NamedTuple):
    """The variables that a script sets for later steps, and its outputs."""

    variables: Mapping[str, str]
    outputs: Value


class _Left(NamedTuple):
    """One value that a script leaves: to `env` or to its outputs."""

    to_env: bool
    name: str
    value: str
    command: Command


def exports(text: str, shell: str, environ: Mapping[str, str], *, runs: bool | None, situation: Situation | None) -> Exports:
    """What a script leaves; its text with secrets and variables of the CI system as they are written.

    `runs` says whether it runs at all, `situation` how the workflow was started, where that is known.
    """
    if runs is False:
        return Exports({}, Object({}))
    if not any(word in text for word in LEAVING):
        return Exports({}, Unknown())
    variables: dict[str, str] = {}
    outputs: dict[str, Value] = {}
    known = tuple((name, re.sub(_WRITTEN, HOLE, value.replace(HOLE, _OPEN))) for name, value in environ.items())
    is_shell = (shell.split() or [""])[0] in _SHELLS
    followed = _left(re.sub(_WRITTEN, HOLE, text.replace(HOLE, _OPEN)), known) if is_shell else ()
    for left in followed:
        value, sure = _value(left, situation)
        if sure is False:
            continue
        told = value if runs and sure else None
        if left.to_env:
            variables[left.name] = HOLE if told is None else told
        else:
            outputs[left.name.lower()] = Unknown() if told is None or HOLE in told else told
    if not (is_shell and _all_followed(text, followed)):
        for name in re.findall(_NAME, text):
            outputs[name.lower()] = Unknown()
            if "GITHUB_ENV" in text:
                variables[name] = HOLE
    return Exports(variables, Object(outputs, anything))


def _value(left: _Left, situation: Situation | None) -> tuple[str | None, bool | None]:
    """The value, None where it is not known, and whether it is left at all."""
    from lakewarden.sources.repository.ci.shell.variables import is_marked, settled

    if situation is None:
        known = not left.command.guards and not is_marked(left.value)
        return (left.value, True) if known else (None, None)
    answers = [guard(situation) for guard in left.command.guards]
    if False in answers:
        return None, False
    value = settled(left.value, situation) if HOLE not in left.value else left.value
    return value, None if None in answers else True


@lru_cache(maxsize=256)
def _left(text: str, environ: tuple[tuple[str, str], ...]) -> tuple[_Left, ...]:
    """What the commands of a script leave."""
    from lakewarden.sources.repository.ci.shell.run import Settings, run
    from lakewarden.sources.repository.ci.shell.values import Variables

    variables = Variables(dict(environ), declared=True)
    commands = run(text, None, variables, Settings(True, False), exists=lambda _: None, read=lambda _: None)
    return tuple(_of_commands(commands))


def _of_commands(commands: Iterable[Command]) -> Iterable[_Left]:
    for command in commands:
        prints = bool(command.words) and command.words[0] in _PRINTING
        said = " ".join(word for word in command.words[1:] if word not in ("-e", "-n")) if prints else command.fed
        if (found := re.fullmatch(_SET_OUTPUT, said)) is not None and prints:
            yield _Left(False, found[1], found[2], command)
            continue
        to_env = "$GITHUB_ENV" in command.written
        if to_env or "$GITHUB_OUTPUT" in command.written:
            for line in said.rstrip("\n").split("\n"):
                assigned = re.fullmatch(_ASSIGNED, line)
                yield _Left(to_env, assigned[1] if assigned else "", assigned[2] if assigned else "", command)


def _all_followed(text: str, followed: Iterable[_Left]) -> bool:
    """Does each line that leaves something say plainly what?"""
    lines = {left.command.line for left in followed if left.name}
    for at, line in enumerate(text.split("\n")):
        places = 0 if line.lstrip().startswith("#") else sum(line.count(word) for word in LEAVING)
        # A line that says so plainly, and was not followed, is on a way that is not taken.
        if places > 1 or (places and at not in lines and not re.fullmatch(_PLAIN, line)):
            return False
    return True
