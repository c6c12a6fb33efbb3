"""Which lines a change touches, for `lint --diff REV`."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

from lakewarden.errors import UsageError
from lakewarden.sources.git_command import Answer, git
from lakewarden.sources.sieve import shown

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

#: The lines of a file that is wholly changed.
ALL_LINES = range(1, sys.maxsize)

_HUNK = re.compile(rb"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_ESCAPES = {"a": 7, "b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13, '"': 34, "\\": 92}
_ESCAPED = re.compile(rb'\\([0-7]{3}|[abtnvfr"\\])')
_SAFE = ("--no-ext-diff", "--no-textconv", "--no-color", "--ignore-submodules=all", "--relative")


def changed_lines(root: str, rev: str) -> dict[str, Container[int]]:
    """The lines of each file that differ from where HEAD left `rev`, in commits and in the working tree.

    A file that Git does not track, that is gone, or that cannot be compared line by line is wholly changed. Where lines were only removed, the
    lines on either side count. UsageError where the revision cannot be used.
    """
    base = _base(root, rev)
    filters = _without_filters(root)
    patch = _run(root, (*filters, "diff", "-U0", "-M", "--src-prefix=a/", "--dst-prefix=b/", *_SAFE, base))
    numbers = _run(root, (*filters, "diff", "--numstat", "-z", "--no-renames", "--diff-filter=d", *_SAFE, base))
    gone = _run(root, (*filters, "diff", "--name-only", "-z", "--no-renames", "--diff-filter=D", *_SAFE, base))
    untracked = _run(root, ("ls-files", "-z", "--others", "--exclude-standard"))
    changed: dict[str, Container[int]] = dict(parse_patch(patch.output))
    for record in numbers.output.split(b"\0"):
        if record.startswith(b"-\t-\t"):
            changed[shown(os.fsdecode(record[4:]))] = ALL_LINES
    for name in (*untracked.output.split(b"\0"), *gone.output.split(b"\0")):
        if name:
            changed[shown(os.fsdecode(name))] = ALL_LINES
    return changed


def parse_patch(patch: bytes) -> Iterator[tuple[str, set[int]]]:
    """Each file of a patch without context with the lines that it has changed. Deleted files are left out."""
    path: str | None = None
    touched: set[int] = set()
    inside = 0
    for line in patch.split(b"\n"):
        if inside:
            inside -= line[:1] in {b"+", b"-"}
        elif line.startswith(b"diff --git "):
            if path is not None:
                yield path, touched
            path, touched = None, set()
        elif line.startswith(b"+++ "):
            path = _path(line[4:])
        elif hunk := _HUNK.match(line):
            removed, start, added = (int(part) if part is not None else 1 for part in hunk.groups())
            touched.update(range(start, start + added) if added else {max(start, 1), start + 1})
            inside = removed + added
    if path is not None:
        yield path, touched


def _path(written: bytes) -> str | None:
    """The path after `+++`, which is quoted where it holds control characters, quotes or backslashes."""
    if written.startswith(b'"'):
        written = _ESCAPED.sub(_unescape, written.rstrip(b"\t")[1:-1])
    elif written == b"/dev/null":
        return None
    else:
        written = written.removesuffix(b"\t")
    return shown(os.fsdecode(written.removeprefix(b"b/")))


def _unescape(match: re.Match[bytes]) -> bytes:
    code = match[1].decode("ascii")
    return bytes([_ESCAPES[code] if code in _ESCAPES else int(code, 8) & 255])


def _base(root: str, rev: str) -> str:
    """The commit that changes are counted from: where HEAD and `rev` parted, else `rev` itself."""
    if rev.startswith("-") or not rev.isprintable() or not rev.strip():
        raise UsageError(f"{rev!r} is not a revision", "give a branch, a tag or a commit: --diff origin/main")
    commit = git(root, ("rev-parse", "--verify", "--quiet", f"{rev}^{{commit}}"))
    if not commit.ok:
        if commit.code is None:
            raise UsageError(f"--diff needs git: {commit.error}", "install git, or leave --diff out")
        if not git(root, ("rev-parse", "--git-dir")).ok:
            raise UsageError(f"--diff needs a Git repository, and {root} is in none", "run in a clone, or leave --diff out")
        advice = f"fetch it (`git fetch origin {rev.removeprefix('origin/')}`; in CI `fetch-depth: 0`), or check its name"
        raise UsageError(f"there is no revision {rev} in this clone", advice)
    parted = git(root, ("merge-base", commit.line, "HEAD"))
    return parted.line.split()[0] if parted.ok and parted.line else commit.line


def _without_filters(root: str) -> list[str]:
    """Options that switch off the filters of the repository's own configuration, which are programs that a diff would run."""
    known = git(root, ("config", "-z", "--show-scope", "--name-only", "--get-regexp", r"^filter\."))
    fields = known.output.decode("utf-8", "backslashreplace").split("\0")
    options: list[str] = []
    for scope, key in zip(fields[::2], fields[1::2], strict=False):
        if scope in {"local", "worktree"}:
            name = key.partition(".")[2].rpartition(".")[0]
            if "=" in name:
                raise UsageError(f"--diff does not run the filter {name!r} of .git/config", "remove it, or leave --diff out")
            for setting in ("clean=", "smudge=", "process=", "required=false"):
                options += ["-c", f"filter.{name}.{setting}"]
    return options


def _run(root: str, arguments: tuple[str, ...]) -> Answer:
    answer = git(root, arguments)
    if not answer.ok:
        why = answer.error.splitlines()[0] if answer.error else f"code {answer.code}"
        raise UsageError(f"git cannot compare the files: {why}", "check the repository with `git status`, or leave --diff out")
    return answer
