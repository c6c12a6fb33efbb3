"""Sifts names of files: which are read, and which stand in a vendored, generated or template tree or behind a link."""

from __future__ import annotations

import os
import stat
import time
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.facts.collect import Skipped
from lakewarden.sources.globs import matcher

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Entry(NamedTuple):
    """A file: its path relative to the root, with `/`, and its size in bytes. A name that is no UTF-8 is escaped."""

    path: str
    size: int


class Found(NamedTuple):
    """What discovery saw. `names` holds the true name of each file whose name is no UTF-8; `left_out` each file that is
    known and not kept, with the kind of what leaves it out; `settled` for each file that has not changed of late what the
    file system says of it, which changes with the file.
    """

    files: list[Entry]
    names: dict[str, str]
    links: dict[str, str]
    skipped: list[Skipped]
    left_out: dict[str, str]
    settled: dict[str, bytes]


#: A file that changed a shorter time ago may change once more and look as it did: clocks of file systems tick slowly, and those
#: of others may be late.
_SETTLED_AFTER = 10 * 10**9  # nanoseconds
_STATUS = Struct("<5Q")
_64_BITS = 2**64 - 1
_VENDORED = {
    "node_modules": "packages of Node.js",
    ".venv": "a virtual environment",
    "venv": "a virtual environment",
    "site-packages": "installed packages",
    ".tox": "virtual environments",
    ".nox": "virtual environments",
    "vendor": "code of others",
    "third_party": "code of others",
}
_GENERATED = {
    "dist": "built packages",
    "mlruns": "runs of MLflow",
    ".databricks": "state of the Databricks CLI",
    ".bundle": "state of a bundle",
    "__pycache__": "compiled Python",
    ".terraform": "state of Terraform",
    ".ipynb_checkpoints": "copies of notebooks",
    ".eggs": "built packages",
}
_TEMPLATES = (".tmpl", ".j2", ".jinja", ".jinja2")
_NOT_OPENED = "warning: could not open directory '"


class Sieve:
    """Keeps the files that are read, and counts those that are not by the tree that they stand in."""

    def __init__(self, top: str, exclude: Sequence[str]) -> None:
        self.top = top
        self.excluded_by = matcher(exclude)
        self.files: dict[str, int] = {}
        self.names: dict[str, str] = {}
        self.links: dict[str, str] = {}
        self.seen_links: set[str] = set()
        self.skipped: list[Skipped] = []
        self.folders: dict[str, bool] = {"": False}
        self.trees: dict[str, tuple[str, str]] = {}
        self.counts: dict[str, int] = {}
        self.left_out: dict[str, str] = {}
        self.sparse = 0
        self.settled: dict[str, bytes] = {}
        # Windows keeps no time that nobody can set back.
        self._young_from = time.time_ns() - _SETTLED_AFTER if os.name == "posix" else 0

    def skip(self, path: str, kind: str, reason: str) -> None:
        """Name a file or a folder that is left out."""
        self.skipped.append(Skipped(shown(path), kind, reason))

    def unopened(self, warnings: str) -> None:
        """Name the folders that git could not open."""
        for line in warnings.splitlines():
            if line.startswith(_NOT_OPENED):
                name, _, why = line[len(_NOT_OPENED) :].rpartition("': ")
                self.skip(name.rstrip("/"), "unreadable", f"the folder cannot be opened: {why.lower()}")

    def environments(self, markers: Iterable[str]) -> None:
        """Leave out the folders of virtual environments, whatever their names."""
        for marker in markers:
            folder = marker.rpartition("/")[0]
            if not self.barred(folder):
                self.folders[folder] = True
                self.trees[folder] = ("vendored", "a virtual environment")

    def barred(self, folder: str) -> bool:
        """Is the folder, or one above it, left out? Names the topmost one."""
        known = self.folders.get(folder)
        if known is not None:
            return known
        above, _, name = folder.rpartition("/")
        bar = self.barred(above)
        if not bar:
            kind = _kind_of_folder(above, name)
            if kind is not None:
                self.trees[folder] = kind
                bar = True
            elif os.path.islink(os.path.join(self.top, folder)):
                self.link(folder)
                bar = True
        self.folders[folder] = bar
        return bar

    def add(self, name: str, *, sparse: bool = False) -> None:
        """Take a name in: a file, a link, or (with `/` at its end) a repository inside this one."""
        folder, _, base = name.rpartition("/")
        if not base:
            self.repository(folder)
            return
        if self.barred(folder):
            self.count(name, folder)
            return
        try:
            found = os.lstat(os.path.join(self.top, name))
        except (FileNotFoundError, NotADirectoryError):
            if sparse:
                self.sparse += 1
                self.left_out[shown(name)] = "not checked out"
            return
        except OSError:
            self.keep(name, base, 0)  # reading it will say why it cannot be read
            return
        if stat.S_ISREG(found.st_mode):
            self.keep(name, base, found.st_size, self.status(found))
        elif stat.S_ISLNK(found.st_mode):
            self.link(name)
        elif stat.S_ISDIR(found.st_mode):
            self.repository(name)
        else:
            self.skip(name, "not a file", "a device, a socket or a pipe")

    def count(self, name: str, folder: str) -> None:
        """Count a file to the tree that it is left out with."""
        while folder and folder not in self.trees:
            folder = folder.rpartition("/")[0]
        self.counts[folder] = self.counts.get(folder, 0) + 1
        if folder:
            self.left_out[shown(name)] = self.trees[folder][0]

    def status(self, found: os.stat_result) -> bytes | None:
        """What changes with the file, also where its size and its date are set back; None where it has changed of late."""
        changed, altered = found.st_mtime_ns, found.st_ctime_ns
        if changed > self._young_from or altered > self._young_from:
            return None
        return _STATUS.pack(
            found.st_size, changed & _64_BITS, altered & _64_BITS, found.st_ino & _64_BITS, found.st_dev & _64_BITS
        )

    def keep(self, name: str, base: str, size: int, status: bytes | None = None) -> None:
        """Keep a file, unless the policy excludes it or it is a template."""
        path = shown(name)
        glob = self.excluded_by(path)
        if glob is not None:
            self.trees.setdefault(f"/{glob}", ("excluded", "excluded by the policy"))
            self.counts[f"/{glob}"] = self.counts.get(f"/{glob}", 0) + 1
            self.left_out[path] = "excluded"
        elif base.endswith(_TEMPLATES) or "{{" in base:
            self.skip(name, "template", "a template: it means nothing until it is rendered")
        elif path != name and path in self.files:
            self.skip(name, "unreadable", "its name is no UTF-8, and escaped it is the name of another file")
        else:
            self.files[path] = size
            if status is not None:
                self.settled[path] = status
            if path != name:
                self.names[path] = name

    def repository(self, folder: str) -> None:
        """Name a Git repository inside this one; a folder that took the place of a tracked file is none."""
        if folder in self.trees or self.barred(folder):
            return
        place = os.path.join(self.top, folder)
        try:
            inside = os.listdir(place)
        except OSError as error:
            self.skip(folder, "unreadable", f"the folder cannot be opened: {(error.strerror or str(error)).lower()}")
            return
        if not inside:
            self.skip(folder, "repository", "a submodule that is not checked out")
        elif ".git" in inside:
            self.skip(folder, "repository", "a Git repository of its own: check it by itself")

    def link(self, name: str) -> None:
        """Note where a link inside the root leads; name every other one."""
        if name in self.seen_links:
            return
        self.seen_links.add(name)
        try:
            real = os.path.realpath(os.path.join(self.top, name), strict=True)
        except OSError:
            self.skip(name, "link", "a link that leads nowhere")
            self.left_out[shown(name)] = "link"
            return
        inside = os.path.relpath(real, self.top).replace(os.sep, "/") if real != self.top else ""
        if real != self.top and not real.startswith(os.path.join(self.top, "")):
            self.skip(name, "link", "a link that leaves the repository")
            self.left_out[shown(name)] = "link"
        elif inside == ".git" or inside.startswith(".git/"):
            self.skip(name, "link", "a link into the repository's own store")
        else:
            self.links[shown(name)] = shown(inside)

    def found(self) -> Found:
        """What was kept, and what was left out."""
        for tree, (kind, what) in self.trees.items():
            number = self.counts.get(tree)
            files = "" if number is None else " (1 file)" if number == 1 else f" ({number} files)"
            self.skip(tree.removeprefix("/"), kind, what + files)
        if self.sparse:
            reason = f"{self.sparse} tracked files are left out by a sparse checkout"
            self.skip(".", "not checked out", reason)
        self.unlisted()
        entries = [Entry(path, size) for path, size in self.files.items()]
        return Found(entries, self.names, self.links, sorted(self.skipped), self.left_out, self.settled)

    def unlisted(self) -> None:
        """Name the links to files that are not read at their real path."""
        if not self.links:
            return
        folders = {shown(folder) for folder, bar in self.folders.items() if not bar}
        for link, real in self.links.items():
            if real not in self.files and real not in folders and not any(_within(real, s.path) for s in self.skipped):
                self.skip(link, "link", f"a link to {real}, which is not read")


def _kind_of_folder(above: str, name: str) -> tuple[str, str] | None:
    if name in _VENDORED:
        return "vendored", _VENDORED[name]
    if name in _GENERATED:
        return "generated", _GENERATED[name]
    if name == "lib" and above.rpartition("/")[2] == "build":
        return "generated", "a copy made by a build"
    if "{{" in name:
        return "template", "a template: it means nothing until it is rendered"
    return None


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def shown(name: str) -> str:
    """The name as text: bytes that are no UTF-8 are escaped."""
    return name if name.isascii() else os.fsencode(name).decode("utf-8", "backslashreplace")
