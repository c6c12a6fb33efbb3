"""`--show-policy` and `--show-files`: what a run would do, without doing it."""

from __future__ import annotations

import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lakewarden.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lakewarden.policy.model import Policy

_FORMATS = ("text", "json")


def check_alone(output_format: str, output: Sequence[str], *, files: bool, policy: bool, statistics: bool) -> None:
    """Refuse what has no effect beside these options: nothing is judged, so there is no report.

    Raises:
        UsageError: there is such an option.
    """
    name = "--show-policy" if policy else "--show-files"
    if files and policy:
        raise UsageError("--show-policy and --show-files print two different things", "give one of them")
    if output_format not in _FORMATS:
        raise UsageError(f"{name} is not written as {output_format}", f"take --output-format {' or '.join(_FORMATS)}")
    if output or statistics:
        raise UsageError(f"{name} judges nothing, so there is nothing else to write", "leave out one of the options")


def show_what_holds(
    paths: Sequence[Path], file: Path | None, output_format: str, given: Mapping[str, Any], *, no_baseline: bool
) -> None:
    """Print the policy for the paths."""
    from lakewarden.cli.session import policy_for

    _, policy = policy_for(list(paths) or [Path()], file)
    write_what_holds(policy, output_format, given, without=("baseline",) if no_baseline else ())


def write_what_holds(policy: Policy, output_format: str, given: Mapping[str, Any], without: Sequence[str] = ()) -> None:
    """Print a policy, with what the command line `given` makes of it; keys of `without` do not count."""
    from lakewarden.policy.effective import effective
    from lakewarden.reports.shown import write_policy

    counted = {key: _plain(value) for key, value in given.items() if value}
    for key in ("ignore", "exclude"):  # the command line adds to these
        if key in counted:
            counted[key] = [*getattr(policy, key), *counted[key]]
    values = [one for one in effective(policy) if one.key not in without]
    write_policy(values, counted, sys.stdout, as_json=output_format == "json")


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    return list(value) if isinstance(value, tuple) else str(value) if isinstance(value, Path) else value


def show_what_is_read(paths: Sequence[Path], file: Path | None, exclude: Sequence[str], output_format: str) -> None:
    """Print the files whose bytes a run reads, as far as they are below the paths. What is skipped, and what was read and could
    not be understood, goes to standard error.
    """
    from lakewarden.cli.session import read
    from lakewarden.facts.gaps import Cause
    from lakewarden.reports.shown import write_files

    repository = read(paths, file, exclude, use_cache=False)
    tree, covers = repository.tree, repository.scope.covers
    there = {entry.path for entry in tree.files if covers(entry.path)}
    skipped = [one for one in repository.facts.skipped if covers(one.path)]
    found = sorted((there & (tree.reads | set(repository.policy.files))) - {one.path for one in skipped})
    others = len(there) - len(found) - len(there & {one.path for one in skipped})
    failed = {
        gap.origin.path: gap.reason
        for gap in reversed(repository.facts.gaps)
        if gap.cause is Cause.FAILED and gap.origin is not None and gap.origin.path in found
    }
    write_files(found, (skipped, failed), others, (sys.stdout, sys.stderr), as_json=output_format == "json")
