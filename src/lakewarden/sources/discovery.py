"""Which files there are: what Git does not ignore, without what `lakewarden.sources.sieve` leaves out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.errors import UsageError
from lakewarden.sources.git_command import Answer, git
from lakewarden.sources.sieve import Entry, Found, Sieve, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

__all__ = ["Entry", "Found", "Scope", "discover", "find_root", "scope_of"]


class Scope(NamedTuple):
    """What is judged: the files and folders named on the command line; everything where there are none. Of that only what
    belongs to one of `projects`, where these are named; `project_of` tells to which a path belongs.
    """

    prefixes: tuple[str, ...] = ()
    projects: frozenset[str] | None = None
    project_of: Callable[[str], str] = str

    @property
    def whole(self) -> bool:
        """Is everything judged?"""
        return not self.prefixes and self.projects is None

    def holds(self, project: str | None, path: str | None) -> bool:
        """Does something belong to one of the projects: by what it says, else by its path?"""
        if self.projects is None:
            return True
        if project is None:
            return path is not None and self.project_of(path) in self.projects
        return project in self.projects

    def covers(self, path: str) -> bool:
        """Is the path one of them, or below one?"""
        return not self.prefixes or any(path == p or path.startswith(f"{p}/") for p in self.prefixes)


_LISTING = ("ls-files", "-z", "-t", "--others", "--exclude-standard")
_MARKERS = ("databricks.yml", "databricks.yaml", "bundle.yml", "bundle.yaml", "lakewarden.toml")


def find_root(path: Path) -> Path:
    """The folder that is read for a path: the Git work tree around it, else the bundle around it, else its own folder."""
    if not os.path.exists(path):
        raise UsageError(f"no such file or folder: {path}", "check the path")
    start = path.resolve()
    folder = start if start.is_dir() else start.parent
    around = (folder, *folder.parents)
    for parent in around:
        if os.path.exists(os.path.join(parent, ".git")):
            return parent
    home = os.path.expanduser("~")
    for parent in around[:-1]:
        if str(parent) == home:
            break
        if any(os.path.isfile(os.path.join(parent, name)) for name in _MARKERS):
            return parent
    return folder


def scope_of(root: Path, paths: Sequence[Path]) -> Scope:
    """The scope of the paths given on the command line; all have to be under one root."""
    top = os.path.realpath(root)
    prefixes = []
    for path in paths:
        if not os.path.exists(path):
            raise UsageError(f"no such file or folder: {path}", "check the path")
        real = os.path.realpath(path)
        if real == top:
            return Scope()
        if not real.startswith(os.path.join(top, "")):
            raise UsageError(f"{path} is not under {root}", "give paths of one repository, or run once for each")
        prefixes.append(shown(os.path.relpath(real, top).replace(os.sep, "/")))
    return Scope(tuple(prefixes))


def discover(top: str, exclude: Sequence[str] = ()) -> Found:
    """List the files under a real path."""
    if not os.path.isdir(top):
        raise UsageError(f"no such folder: {top}", "check the path")
    sieve = Sieve(top, exclude)
    inside = any(os.path.lexists(os.path.join(folder, ".git")) for folder in _upwards(top))
    answer = git(top, (*_LISTING, "--cached")) if inside else _outside_repository(top)
    if answer.ok:
        sieve.unopened(answer.error)
        records = [record for record in os.fsdecode(answer.output).split("\0") if record]
        sieve.environments(record[2:] for record in records if record.endswith("/pyvenv.cfg"))
        for record in records:
            sieve.add(record[2:], sparse=record[0] == "S")
    else:
        why = answer.error.splitlines()[0] if answer.error else f"git ended with code {answer.code}"
        sieve.skip(".gitignore", "not applied", f".gitignore could not be applied: {why}")
        _walk(sieve)
    return sieve.found()


def _upwards(folder: str) -> Iterator[str]:
    yield folder
    while (above := os.path.dirname(folder)) != folder:
        folder = above
        yield folder


def _outside_repository(top: str) -> Answer:
    """Let git apply `.gitignore` to a folder that is no repository, through an empty one elsewhere."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="lakewarden-") as empty:
        os.mkdir(os.path.join(empty, "objects"))
        os.mkdir(os.path.join(empty, "refs"))
        with open(os.path.join(empty, "HEAD"), "w", encoding="ascii") as head:
            head.write("ref: refs/heads/main\n")
        return git(top, (f"--git-dir={empty}", f"--work-tree={top}", *_LISTING))


def _walk(sieve: Sieve) -> None:
    """Add every file below the root, without git."""
    pending = [""]
    while pending:
        folder = pending.pop()
        try:
            with os.scandir(os.path.join(sieve.top, folder)) as entries:
                found = [(f"{folder}/{e.name}" if folder else e.name, e.is_dir(follow_symlinks=False)) for e in entries]
        except OSError as error:
            sieve.skip(folder or ".", "unreadable", f"the folder cannot be opened: {(error.strerror or str(error)).lower()}")
            continue
        names = {name for name, _ in found}
        prefix = f"{folder}/" if folder else ""
        if folder and f"{prefix}.git" in names:
            sieve.add(f"{folder}/")
            continue
        if f"{prefix}pyvenv.cfg" in names and folder:
            sieve.environments([f"{prefix}pyvenv.cfg"])
            sieve.add(f"{prefix}pyvenv.cfg")
            continue
        for name, is_folder in found:
            if not is_folder:
                sieve.add(name)
            elif name != ".git" and not sieve.barred(name):
                pending.append(name)
