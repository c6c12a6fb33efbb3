"""What an earlier run read of the files of a tree, so that files that did not change are not read again.

A file is known again by what the file system says of it (`lakewarden.sources.sieve`): size, times of change, inode and device.
Files that changed shortly before they were listed are never known.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from lakewarden.sources.cache import digest_of

if TYPE_CHECKING:
    from lakewarden.sources.cache import Cache
    from lakewarden.sources.tree import Tree

#: What a comment for lakewarden holds.
MARK = b"lakewarden:"

_STATUS, _DIGEST, _COUNT = 40, 16, 4
_RECORD = _STATUS + _DIGEST + 1
_WITHOUT, _WITH = b"\0", b"\1"


class Memo:
    """The digests of the files of one tree. What is kept are those that this run has asked for."""

    def __init__(self, cache: Cache, tree: Tree) -> None:
        self._cache = cache
        self._tree = tree
        self._name = _name_of(tree)
        self._before = _parsed(cache.remembered(self._name)) if tree.settled else {}
        self._now: dict[str, bytes] = {}

    def digest(self, path: str) -> bytes | None:
        """The digest of a file, where it is known without reading the file."""
        record, status = self._before.get(path), self._tree.settled.get(path)
        if record is None or status is None or record[:_STATUS] != status:
            return None
        self._now[path] = record
        if record.endswith(_WITHOUT):
            self._tree.unmarked.add(path)
        return record[_STATUS:-1]

    def note(self, path: str, data: bytes) -> bytes:
        """Note what was read; returns its digest."""
        digest, status, marked = digest_of(data), self._tree.settled.get(path), MARK in data
        if not marked:
            self._tree.unmarked.add(path)
        if status is not None:
            self._now[path] = status + digest + (_WITH if marked else _WITHOUT)
        return digest

    def keep(self) -> None:
        """Keep what is known now for the next run."""
        if self._now != self._before:
            names = "\0".join(self._now).encode("utf-8", "surrogateescape")
            self._cache.remember(self._name, len(self._now).to_bytes(_COUNT, "big") + b"".join(self._now.values()) + names)


def _name_of(tree: Tree) -> bytes:
    """What the memo of a tree is found by: where it is, and who reads it, since others may have other rights."""
    user = os.geteuid() if hasattr(os, "geteuid") else ""
    place = f"{os.path.realpath(tree.root)}\0{user}".encode("utf-8", "surrogateescape")
    return hashlib.blake2b(place, digest_size=16).digest()


def _parsed(kept: bytes | None) -> dict[str, bytes]:
    """The records by path: how many there are, the records, and the paths with zero bytes between them."""
    if not kept:
        return {}
    end = _COUNT + int.from_bytes(kept[:_COUNT], "big") * _RECORD
    paths = kept[end:].decode("utf-8", "surrogateescape").split("\0")
    return dict(zip(paths, (kept[start : start + _RECORD] for start in range(_COUNT, end, _RECORD)), strict=True))
