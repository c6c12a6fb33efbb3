"""`lakewarden waivers`: what is tolerated, until when, and by whom; and what an exception register says, written into the policy."""

from __future__ import annotations

import re
import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from lakewarden.cli.options import PolicyFile

if TYPE_CHECKING:
    from collections.abc import Sequence


_IMPORT = "import"
_DAYS = re.compile(r"(\d{1,4})d", re.ASCII)
_List = Optional[list[str]]  # noqa: UP045  (typer evaluates it on Python 3.10)


class Form(str, Enum):
    """The forms of the list."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"


def waivers(
    paths: Annotated[
        _List,
        typer.Argument(help="Files and folders; the current folder if none is given. Or: import FILE.csv"),
    ] = None,
    policy: PolicyFile = None,
    expiring: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(
            help="Only those that end within so many days, or have ended: 30d. Exit 1 if there are any.", metavar="DAYS"
        ),
    ] = None,
    output_format: Annotated[Form, typer.Option("--output-format", help="Form of the list.")] = Form.TEXT,
    column: Annotated[
        _List,
        typer.Option(help="With import: the column of the file that holds a key: expires='Valid to'.", metavar="KEY=NAME"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="With import: print the diff and write nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="With import: write without a question.")] = False,
) -> None:
    """List the waivers and accepted gaps of the policy and the comments that waive: how long each holds, and how many findings of
    lint a waiver covers.

    `lakewarden waivers import FILE.csv` writes the rows of an exception register into the policy as [[waivers]], after it has
    shown the diff. Comments and layout of the policy stay. Rows that are wrong are told by line, and the rest is taken.

    Exit codes: 0 done, 1 with --expiring some end, with import some rows are wrong, 2 usage or policy, 3 with --expiring none
    end in what could be read, and a file could not be.
    """
    from lakewarden.errors import UsageError

    given = list(paths or [])
    if given[:1] == [_IMPORT]:
        from lakewarden.cli.importing import Manner, import_register

        if expiring is not None or output_format is not Form.TEXT:
            raise UsageError("--expiring and --output-format go with the list", "leave them out, and list afterwards")
        if len(given) != 2:  # noqa: PLR2004
            raise UsageError("import takes one file", "write: lakewarden waivers import FILE.csv")
        import_register(Path(given[1]), policy, Manner(_columns(column or []), dry_run=dry_run, yes=yes))
        return
    for name, is_given in (("--column", column), ("--dry-run", dry_run), ("--yes", yes)):
        if is_given:
            raise UsageError(f"{name} goes with import", "write: lakewarden waivers import FILE.csv")
    _list([Path(path) for path in given], policy, None if expiring is None else _number(expiring), output_format)


def _list(paths: Sequence[Path], policy: Path | None, within: int | None, form: Form) -> None:
    from dataclasses import replace

    from lakewarden.cli.session import read
    from lakewarden.errors import ExitCode
    from lakewarden.judge.request import Wishes
    from lakewarden.judge.run import judge_repository
    from lakewarden.judge.standing import standings
    from lakewarden.reports.escape import clean
    from lakewarden.reports.waivers import write
    from lakewarden.sources.discovery import Scope

    repository = read(paths, policy)
    wishes = Wishes(use_baseline=False, show=frozenset({"advisory"}), fingerprints=False)
    # A waiver of the policy is for all of the repository, whatever part of it is asked about.
    result = judge_repository(replace(repository, scope=Scope()), wishes)
    found = standings(repository, result, wishes.today)
    if within is not None:
        found = [one for one in found if one.days is not None and one.days <= within]
    write(found, form.value, wishes.today, sys.stdout)
    unread = [
        gap for gap in repository.tree.unseen() if gap.origin and gap.origin.path and repository.scope.covers(gap.origin.path)
    ]
    places = {gap.origin.path: gap.reason for gap in unread if gap.origin and gap.origin.path}
    for path, reason in places.items():
        typer.echo(clean(f"not read, comments in it are not listed: {path}: {reason}"), err=True)
    if within is not None:
        raise typer.Exit(ExitCode.FINDINGS if found else ExitCode.INCOMPLETE if places else ExitCode.CLEAN)


def _number(text: str) -> int:
    from lakewarden.errors import UsageError

    found = _DAYS.fullmatch(text)
    if found is None:
        raise UsageError(f"--expiring {text} is no number of days", "write it as 30d")
    return int(found[1])


def _columns(given: Sequence[str]) -> dict[str, str]:
    """The names of columns by key."""
    from lakewarden.errors import UsageError
    from lakewarden.policy.register import COLUMNS

    named: dict[str, str] = {}
    for one in given:
        key, _, name = one.partition("=")
        if key not in COLUMNS or not name.strip() or key in named:
            raise UsageError(f"--column {one} names no column of a key", f"write KEY=NAME, once each of: {', '.join(COLUMNS)}")
        named[key] = name.strip()
    return named
