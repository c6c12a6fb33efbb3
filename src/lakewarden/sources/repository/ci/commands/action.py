"""What recognisers of commands tell."""

from __future__ import annotations

from typing import NamedTuple

#: The tools whose commands reach a target: of a bundle, or a place that their arguments name.
TOOLS = frozenset({"bundle", "terraform", "dbx", "cli"})


class Action(NamedTuple):
    """What a command does. `kind` is a value of `ci_steps.kind`.

    `tool` is the tool that reaches a target. `target` is the target as written, empty where the command names none, None
    where it is not known. `changes` tells whether the target is changed rather than looked at, `forced` whether the check of
    the Git branch is switched off. `hints` are the words that may speak of a stage where there is no target. `root` is the
    folder of the bundle where a variable names it. `waits` is false where the command ends before it is known how it went.
    """

    kind: str
    tool: str = ""
    target: str | None = ""
    changes: bool = False
    forced: bool | None = False
    hints: tuple[str, ...] = ()
    root: str = ""
    waits: bool = True
