"""Runs scripts through the reader of shells, for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.sources.repository.ci.shell.run import Settings, run
from lakewarden.sources.repository.ci.shell.values import Variables
from lakewarden.sources.repository.ci.workflow import Situation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakewarden.sources.repository.ci.shell.state import Command

MAIN = Situation("push", "refs/heads/main")
OTHER = Situation("push", "refs/heads/feature")
REQUEST = Situation("pull_request", "refs/pull/1/merge", "main")

#: How GitHub starts a shell of which the file says nothing.
GITHUB = Settings(stops=True, pipefail=False)


def commands(
    text: str,
    environ: Mapping[str, str] | None = None,
    *,
    settings: Settings = GITHUB,
    paths: frozenset[str] = frozenset(),
    files: Mapping[str, str] | None = None,
    declared: bool = True,
) -> list[Command]:
    variables = Variables(environ or {}, declared=declared)
    known = files or {}
    return run(text, "", variables, settings, exists=lambda path: path in paths, read=known.get)


def named(found: list[Command], name: str) -> list[Command]:
    return [command for command in found if command.words[:1] == (name,)]


def runs(command: Command, situation: Situation) -> bool | None:
    answers = [guard(situation) for guard in command.guards]
    return False if False in answers else None if None in answers else True
