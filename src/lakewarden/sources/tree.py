"""A tree of files that sources read through, so that rules about links, sizes and encodings live once."""

from __future__ import annotations

import os
import posixpath
import stat
from typing import TYPE_CHECKING, NoReturn

from lakewarden.errors import SourceError
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.origin import Origin
from lakewarden.sources.discovery import Entry, discover

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from lakewarden.facts.collect import Skipped

__all__ = ["MAX_BYTES", "Entry", "Tree"]

MAX_BYTES = 10_000_000
_MAX_LINKS = 40
#: What has been read is held for the next source, up to so many bytes of a run.
_KNOWN_BYTES = 128 * 2**20
_UNSEEN = {
    "unreadable": (Cause.FAILED, "give this user the right to read it"),
    "not checked out": (Cause.NOT_ASKED, "run `git sparse-checkout disable`"),
}
#: What a file may hold that belongs to nothing else.
_HELD = (
    "targets", "jobs", "experiments", "models", "served_entities", "catalogs", "schemas", "securables", "permissions", "files",
    "catalog_tables", "external_locations", "entitlements", "registry_hooks", "stage_writes", "terraform_roots", "ci_jobs",
    "ci_deployments", "ci_steps", "ci_credentials",
)  # fmt: skip
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class Tree:
    """Files under one root, sorted by path. Paths are relative to the root, with `/`.

    `files` holds each file once, at its real path; `links` maps a symbolic link inside the tree to the real path of what
    it points to. Every method follows links, and none leaves the root. `skipped` names what is not in `files`; a file
    in a skipped folder can be read by whoever knows its path, a file that Git ignores cannot. `left_out` holds the path of
    each file that was skipped, with the kind of what it was skipped for. `settled` holds what the file system says of files
    that have not changed of late; `unmarked` names files that are known to hold no comment for lakewarden; `reads` grows by
    the real path of each file whose bytes were asked for.
    """

    def __init__(
        self,
        root: Path,
        files: Sequence[Entry],
        load: Callable[[str], bytes],
        *,
        links: Mapping[str, str] | None = None,
        skipped: Sequence[Skipped] = (),
        left_out: Mapping[str, str] | None = None,
        on_disk: Callable[[str], os.stat_result | None] = lambda _: None,
        max_bytes: int = MAX_BYTES,
        settled: Mapping[str, bytes] | None = None,
    ) -> None:
        self.root = root
        self.files: tuple[Entry, ...] = tuple(sorted(files))
        self.links: dict[str, str] = dict(links or {})
        self.skipped: tuple[Skipped, ...] = tuple(skipped)
        self.left_out: dict[str, str] = dict(left_out or {})
        self.max_bytes = max_bytes
        self.settled: dict[str, bytes] = dict(settled or {})
        self.unmarked: set[str] = set()
        self.reads: set[str] = set()
        self._closed = {skip.path for skip in self.skipped}
        self._of_kinds: dict[frozenset[str], list[str]] = {}
        self._load = load
        self._known: dict[str, bytes] = {}
        self._room = _KNOWN_BYTES
        self._on_disk = on_disk
        self._sizes = {entry.path: entry.size for entry in self.files}
        self._folders = {""}
        for entry in self.files:
            folder = entry.path.rpartition("/")[0]
            while folder not in self._folders:
                self._folders.add(folder)
                folder = folder.rpartition("/")[0]

    @classmethod
    def of_disk(cls, root: Path, *, exclude: Sequence[str] = (), max_bytes: int = MAX_BYTES) -> Tree:
        """The files under a folder on disk that Git does not ignore. `exclude` holds globs of paths to leave out."""
        top = os.path.realpath(root)
        found = discover(top, exclude)
        disk = _Disk(top, found.names, max_bytes)
        return cls(
            root, found.files, disk.load, links=found.links, skipped=found.skipped, left_out=found.left_out,
            on_disk=disk.stat, max_bytes=max_bytes,
            settled={path: found.settled[path] for path, size in found.files if path in found.settled and size <= max_bytes},
        )  # fmt: skip

    @classmethod
    def of_files(cls, root: Path, files: Mapping[str, bytes | str], *, max_bytes: int = MAX_BYTES) -> Tree:
        """A tree of files that are in memory."""
        content = {path: data.encode() if isinstance(data, str) else data for path, data in files.items()}
        return cls(root, [Entry(path, len(data)) for path, data in content.items()], content.__getitem__, max_bytes=max_bytes)

    def holding(self, changed: Mapping[str, bytes]) -> Tree:
        """The same tree, as if these files, given at their real paths, held something else."""
        load = self._load
        return Tree(
            self.root,
            [Entry(path, len(changed[path]) if path in changed else size) for path, size in self.files],
            lambda path: changed[path] if path in changed else load(path),
            links=self.links,
            skipped=self.skipped,
            left_out=self.left_out,
            on_disk=self._on_disk,
            max_bytes=self.max_bytes,
            settled={path: data for path, data in self.settled.items() if path not in changed},
        )

    def read(self, path: str) -> bytes:
        """The bytes of a file; SourceError where it cannot be read or is too large."""
        known = self._known.get(path)
        if known is not None:
            return known
        real = self._resolve(path)
        if real is None or not self._is_file(real):
            _fail(f"{path} is not in the tree", "check the path, and whether .gitignore excludes the file")
        self.reads.add(real)
        size = self._sizes.get(real, 0)
        if size > self.max_bytes:
            raise too_large(path, size, self.max_bytes)
        data = self._load(real)
        if self._room >= len(data):
            self._room -= len(data)
            self._known[path] = data
        return data

    def text(self, path: str) -> str:
        """The text of a UTF-8 file, without byte order mark; line ends are kept. SourceError for any other encoding."""
        data = self.read(path)
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            if data[:2] in _UTF16:
                _fail(f"{path} is UTF-16, not UTF-8", "save the file as UTF-8")
            line = data.count(b"\n", 0, error.start) + 1
            _fail(f"{path} is not UTF-8 (line {line}, byte 0x{data[error.start]:02x})", "save the file as UTF-8")

    def exists(self, path: str) -> bool:
        """Is there such a file or folder, in the tree or in a skipped folder?"""
        real = self._resolve(path)
        return real is not None and (real in self._folders or self._is_file(real) or self._stat_skipped(real) is not None)

    def is_dir(self, path: str) -> bool:
        """Is there such a folder?"""
        real = self._resolve(path)
        if real is None or real in self._sizes:
            return False
        if real in self._folders:
            return True
        found = self._stat_skipped(real)
        return found is not None and stat.S_ISDIR(found.st_mode)

    def real(self, path: str) -> str | None:
        """The path with links followed and `.` and `..` removed; None where it leaves the root."""
        return self._resolve(path)

    def left_out_for(self, kinds: frozenset[str]) -> list[str]:
        """The paths of `left_out` of these kinds, sorted."""
        found = self._of_kinds.get(kinds)
        if found is None:
            found = self._of_kinds[kinds] = sorted(path for path, kind in self.left_out.items() if kind in kinds)
        return found

    def unseen(self) -> list[Gap]:
        """Gaps for folders that cannot be opened and files that are not checked out: they may hold bundles and code."""
        return [
            Gap(_UNSEEN[skip.kind][0], table, skip.reason, _UNSEEN[skip.kind][1], origin=Origin(skip.path))
            for skip in self.skipped
            if skip.kind in _UNSEEN
            for table in _HELD
        ]

    def _resolve(self, path: str) -> str | None:
        real = posixpath.normpath(path)
        for _ in range(_MAX_LINKS):
            if real == ".":
                return ""
            if real == ".." or real.startswith(("../", "/")) or "\0" in real:
                return None
            if not self.links:
                return real
            prefix, rest = real, ""
            while prefix and prefix not in self.links:
                prefix, _, last = prefix.rpartition("/")
                rest = f"/{last}{rest}"
            if not prefix:
                return real
            real = posixpath.normpath(posixpath.join(self.links[prefix], rest[1:]))
        return None

    def _is_file(self, real: str) -> bool:
        if real in self._sizes:
            return True
        found = self._stat_skipped(real)
        return found is not None and stat.S_ISREG(found.st_mode)

    def _stat_skipped(self, real: str) -> os.stat_result | None:
        folder = real if self._closed else ""
        while folder:
            if folder in self._closed:
                return self._on_disk(real)
            folder = folder.rpartition("/")[0]
        return None


class _Disk:
    """Reads below one folder. `names` holds the true name of each file whose name is no UTF-8."""

    def __init__(self, top: str, names: Mapping[str, str], max_bytes: int) -> None:
        self.top = top
        self.names = names
        self.max_bytes = max_bytes

    def place(self, path: str) -> str:
        return os.path.join(self.top, self.names.get(path, path))

    def load(self, path: str) -> bytes:
        try:
            with open(self.place(path), "rb", buffering=0) as file:
                # Asked for no more than there is: room for the limit would have to be made for each file.
                size = min(os.fstat(file.fileno()).st_size, self.max_bytes)
                data = file.read(size + 1)
                while len(data) != size and len(data) <= self.max_bytes and (more := file.read(self.max_bytes + 1 - len(data))):
                    data += more
        except FileNotFoundError:
            _fail(f"{path} vanished while it was read", "run again")
        except PermissionError:
            _fail(f"{path} cannot be read: permission denied", "give this user the right to read the file")
        except OSError as error:
            _fail(f"{path} cannot be read: {error.strerror or error}", "check the file")
        if len(data) > self.max_bytes:
            raise too_large(path, None, self.max_bytes)
        return data

    def stat(self, path: str) -> os.stat_result | None:
        place = self.place(path)
        try:
            real = os.path.realpath(place, strict=True)
            inside = real.startswith(os.path.join(self.top, "")) and not real.startswith(os.path.join(self.top, ".git", ""))
            return os.stat(real) if inside else None
        except (OSError, ValueError):
            return None


def too_large(path: str, size: int | None, limit: int) -> SourceError:
    """The error for a file above the size limit."""
    told = f" ({size / 1e6:.1f} MB)" if size is not None else ""
    reason = f"{path} is larger than the limit of {limit / 1e6:.1f} MB{told}"
    return SourceError("failed", reason, "exclude the file, or raise max_file_size in the policy")


def _fail(reason: str, remedy: str) -> NoReturn:
    raise SourceError("failed", reason, remedy) from None
