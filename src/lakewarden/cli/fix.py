"""`lakewarden lint --fix`: shows what the safe fixes change, asks a person at a terminal, and writes it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import typer

if TYPE_CHECKING:
    from lakewarden.cli.session import Repository
    from lakewarden.fixes.fix import Look
    from lakewarden.fixes.mend import FileChange, Mended
    from lakewarden.judge.request import Wishes
    from lakewarden.judge.result import Finding, Result

Read: TypeAlias = Callable[[Mapping[str, bytes]], "Repository"]

_COLOURS = {"+": typer.colors.GREEN, "-": typer.colors.RED, "@": typer.colors.CYAN}


@dataclass(frozen=True)
class Manner:
    """How fixes are made: only shown, without a question, with the diff on standard output or, where a report for programs is
    there, on standard error.
    """

    dry_run: bool
    yes: bool
    diff_on_stdout: bool


def check_manner(manner: Manner, *, fix: bool, bundle_json: bool) -> None:
    """UsageError where the options do not go together."""
    from lakewarden.errors import UsageError

    if not fix and (manner.dry_run or manner.yes):
        raise UsageError(f"{'--dry-run' if manner.dry_run else '--yes'} goes with --fix", "add --fix")
    if fix and bundle_json:
        raise UsageError(
            "--fix and --bundle-json do not go together: what the bundle tool resolved does not tell what a change would do",
            "leave one of them out",
        )


def fix_findings(result: Result, read: Read, wishes: Wishes, manner: Manner) -> Result | None:
    """Make the safe fixes of what was found, and tell of them on standard error. Returns the result as it still holds, in a dry run
    with the fixes; None where files were written.
    """
    from lakewarden.fixes.mend import mend
    from lakewarden.fixes.repairs import repairs
    from lakewarden.fixes.write import write_all

    judged: list[Repository] = []

    def again(changed: Mapping[str, bytes]) -> Look:
        judged[:] = [read(changed)]
        return _look(judged[0], wishes)

    mended = mend(result.findings, again)
    show(mended.files, manner)
    many = f"{_count(len(mended.fixed), 'fix', 'fixes')} in {_count(len(mended.files), 'file', 'files')}"
    if not mended.files:
        _tell(mended, "left")
        typer.echo("no safe fix to make", err=True)
        return result
    if manner.dry_run or (asks(manner) and not agrees(f"Write {many}?")):
        _tell(mended, "would fix")
        typer.echo(f"{many} would be made; nothing was written", err=True)
        return replace(result, fixes=repairs(mended))
    failed = dict(write_all(judged[0].root, mended.files))
    _tell(replace(mended, fixed=tuple(one for one in mended.fixed if one.path not in failed)), "fixed")
    for path, reason in failed.items():
        typer.echo(f"not written: {_clean(path)}: {reason}", err=True)
    written = len(mended.files) - len(failed)
    made = sum(one.path not in failed for one in mended.fixed)
    typer.echo(f"made {_count(made, 'fix', 'fixes')} in {_count(written, 'file', 'files')}", err=True)
    return None if written else result


def _look(repository: Repository, wishes: Wishes) -> Look:
    """All that is found in the repository, whatever was asked for: nothing that passed may fail because of a fix."""
    from lakewarden.fixes.fix import Look
    from lakewarden.judge.request import Wishes
    from lakewarden.judge.run import judge_repository
    from lakewarden.rule import Profile
    from lakewarden.sources.discovery import Scope

    every = Wishes(
        profile=Profile.STRICT if wishes.select else wishes.profile,
        ignore=wishes.ignore,
        use_baseline=False,
        show=frozenset({"unknown", "advisory"}),
        today=wishes.today,
    )
    result = judge_repository(replace(repository, scope=Scope()), every)
    return Look(repository.tree, repository.policy, repository.facts, result)


def asks(manner: Manner) -> bool:
    """Is there a person at a terminal to be asked, who has not agreed already?"""
    from lakewarden.cli.session import in_ci

    return not manner.yes and sys.stdin.isatty() and sys.stdout.isatty() and not in_ci()


def agrees(question: str) -> bool:
    """Ask that person."""
    try:
        return typer.confirm(question, err=True)
    except typer.Abort:
        raise typer.Exit(130) from None  # Ctrl-C, or the end of what is typed: as for every command


def show(files: Iterable[FileChange], manner: Manner) -> None:
    """Print the diff: as it is where a program may apply it, else made harmless for terminals and logs."""
    from lakewarden.fixes.diff import unified
    from lakewarden.reports.escape import log_line

    out = sys.stdout if manner.diff_on_stdout else sys.stderr
    exact = manner.dry_run and not out.isatty()
    for line in unified(files):
        if exact:
            typer.echo(line.encode("utf-8", "surrogateescape"), nl=False, err=out is sys.stderr)
        else:
            text = _clean(line.rstrip("\r\n").expandtabs(4))
            typer.secho(log_line(text), fg=_COLOURS.get(line[:1]), err=out is sys.stderr)


def _tell(mended: Mended, done: str) -> None:
    for one in mended.fixed if done != "left" else ():
        note = f" ({one.note})" if one.note else ""
        typer.echo(f"{done}: {_place(one.finding)}: {one.finding.rule.code} {_clean(one.what)}{_clean(note)}", err=True)
    alike: dict[tuple[str, str], list[Finding]] = {}
    for left in mended.left:
        alike.setdefault((left.finding.rule.code, left.reason), []).append(left.finding)
    for (code, reason), findings in alike.items():
        more = f" and {len(findings) - 1:,} more" if len(findings) > 1 else ""
        typer.echo(f"left: {_place(findings[0])}{more}: {code} {_clean(reason)}", err=True)


def _place(finding: Finding) -> str:
    from lakewarden.reports.place import where

    return where(finding.origin)


def _clean(text: str) -> str:
    from lakewarden.reports.escape import clean

    return clean(text)


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
