"""`lakewarden waivers import`: reads an exception register, shows what becomes of the policy, and writes it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from lakewarden.policy.amend import Amended
    from lakewarden.policy.register import Register


@dataclass(frozen=True)
class Manner:
    """The columns of keys that have other names, and how it is written: only shown, or without a question."""

    columns: Mapping[str, str]
    dry_run: bool
    yes: bool


def import_register(file: Path, policy_file: Path | None, manner: Manner) -> None:
    """Write the rows of a register into the policy that holds in this folder; ends with 1 where a row was not taken.

    Raises:
        UsageError: the register cannot be read, there is no policy, or it cannot be written.
        PolicyError: the policy cannot take them.
    """
    from lakewarden.cli.session import policy_for
    from lakewarden.errors import ExitCode, UsageError
    from lakewarden.fixes.mend import FileChange
    from lakewarden.judge.catalogue import load_rules, rules_under
    from lakewarden.policy.amend import amended
    from lakewarden.policy.load import load
    from lakewarden.policy.register import read_register

    root, policy = policy_for([Path()], policy_file)
    if policy.path is None:
        raise UsageError("there is no policy to write waivers into", "write one: lakewarden init")
    place = root.resolve() / policy.path
    names = {code: rule.name for code, rule in rules_under(policy).items()}
    today = dt.datetime.now(tz=dt.timezone.utc).date()
    register = read_register(_bytes(file), file.name, policy, names, today=today, columns=manner.columns)
    before = _bytes(place)
    made = amended(before, policy.path, policy, register, names)
    # What is written is a policy, or nothing is written.
    catalogue = {code: rule.name for code, rule in load_rules().items()}
    load(place.resolve(), root=root, rules=catalogue, content=made.content)
    inside = not policy.path.startswith("..")
    change = FileChange(policy.path if inside else place.name, before, made.content)
    _write(root if inside else place.resolve().parent, change, made, manner)
    wrong = _tell(file.name, register, made)
    raise typer.Exit(ExitCode.FINDINGS if wrong else ExitCode.CLEAN)


def _write(root: Path, change: tuple[str, bytes, bytes], made: Amended, manner: Manner) -> None:
    """Show the diff, and write it if that is wanted."""
    from lakewarden.cli import fix
    from lakewarden.errors import UsageError
    from lakewarden.fixes.mend import FileChange
    from lakewarden.fixes.write import write_all
    from lakewarden.reports.escape import clean
    from lakewarden.reports.page import many

    what = f"{many(made.added, 'new waiver')}, {made.changed:,} changed, {made.same:,} there already"
    files = [FileChange(*change)] if made.added or made.changed else []
    how = fix.Manner(manner.dry_run, manner.yes, diff_on_stdout=True)
    fix.show(files, how)
    if not files:
        typer.echo(f"nothing to write: {what}", err=True)
    elif manner.dry_run or (fix.asks(how) and not fix.agrees(f"Write {what}?")):
        typer.echo(f"{what}; nothing was written", err=True)
    else:
        for path, reason in write_all(root, files):
            raise UsageError(f"not written: {clean(path)}: {reason}", "mend that and run it again")
        typer.echo(f"wrote {clean(change[0])}: {what}", err=True)


def _tell(name: str, register: Register, made: Amended) -> int:
    """Say what was not taken; how many rows that should have been."""
    from lakewarden.reports.escape import clean
    from lakewarden.reports.page import names

    wrong = [
        *((one.line, one.why) for one in register.left),
        *((row.line, "says something else than a policy that this one extends: change it there") for row in made.elsewhere),
    ]
    for line, why in sorted(wrong):
        typer.echo(clean(f"left: {name}:{line}: {why}"), err=True)
    for row in register.ended:
        typer.echo(
            clean(f"ended: {name}:{row.line}: {row.waiver.rule} for {row.waiver.subject!r} on {row.waiver.expires}"), err=True
        )
    if register.unread:
        typer.echo(clean(f"columns that are not read: {names(register.unread, 10)}"), err=True)
    return len(wrong)


def _bytes(file: Path) -> bytes:
    from lakewarden.errors import UsageError

    try:
        return file.read_bytes()
    except OSError as problem:
        raise UsageError(f"{file} cannot be read: {problem.strerror}", "check the path") from None
