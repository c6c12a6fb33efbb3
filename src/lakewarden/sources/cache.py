"""What reading a file gave, kept for the next run in the user's cache folder.

An entry is found by the hash of the file's bytes and path; the name of the database holds the version of the program, of
its readers and of Python. Runs may share it side by side. A cache that cannot be used is no cache: it never fails a run,
and never changes what a run says.
"""

from __future__ import annotations

import hashlib
import os
import sys
from typing import TYPE_CHECKING

from lakewarden import __version__

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

#: Names another folder for the cache.
FOLDER = "LAKEWARDEN_CACHE_DIR"

#: A database that has grown beyond this is begun anew.
_MAX_BYTES = 256_000_000
#: How many databases of other versions stay.
_KEPT = 4
_AT_ONCE = 500
_WAIT = 2.0  # seconds for another run that is writing


def key_of(path: str, data: bytes) -> bytes:
    """What an entry is found by: 16 bytes that stand for a file's bytes and its path in the tree, reader included."""
    found = hashlib.blake2b(path.encode("utf-8", "surrogateescape"), digest_size=16)
    found.update(b"\0")
    found.update(data)
    return found.digest()


class Cache:
    """Entries by key, of one version of the program and its readers."""

    def __init__(self, folder: str, readers: str) -> None:
        self._file = os.path.join(folder, f"extracts-{_version(readers)}.sqlite")
        self._folder = folder
        self._broken = False

    def find(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """The entries that are there, by key."""
        if self._broken or not keys or not os.path.exists(self._file):
            return {}
        import sqlite3

        found: dict[bytes, bytes] = {}
        try:
            connection = self._open()
            try:
                in_order = sorted(keys)  # as they lie in the file
                for start in range(0, len(keys), _AT_ONCE):
                    some = in_order[start : start + _AT_ONCE]
                    marks = ",".join("?" * len(some))
                    found.update(connection.execute(f"SELECT key, entry FROM entries WHERE key IN ({marks})", some))
            finally:
                connection.close()
        except sqlite3.Error as error:
            self._give_up(error)
            return {}
        return found

    def keep(self, entries: Iterable[tuple[bytes, bytes]]) -> None:
        """Add entries. Where that is not possible, they are found again by reading in the next run."""
        if self._broken:
            return
        import sqlite3

        try:
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            if os.path.exists(self._file) and os.path.getsize(self._file) > _MAX_BYTES:
                os.remove(self._file)
            if not os.path.exists(self._file):
                self._forget_others()
            connection = self._open()
            try:
                with connection:
                    connection.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?)", entries)
            finally:
                connection.close()
        except OSError:
            self._broken = True
        except sqlite3.Error as error:
            self._give_up(error)

    def _open(self) -> sqlite3.Connection:
        import sqlite3

        connection = sqlite3.connect(self._file, timeout=_WAIT)
        try:
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("CREATE TABLE IF NOT EXISTS entries (key BLOB PRIMARY KEY, entry BLOB NOT NULL) WITHOUT ROWID")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _give_up(self, error: sqlite3.Error) -> None:
        """Go on without; a file that is no database, or a damaged one, makes room for a good one."""
        import sqlite3

        self._broken = True
        if not isinstance(error, sqlite3.OperationalError):
            _remove(self._file)

    def _forget_others(self) -> None:
        names = [name for name in os.listdir(self._folder) if name.startswith("extracts-") and name.endswith(".sqlite")]
        paths = [os.path.join(self._folder, name) for name in names]
        for path in sorted(paths, key=os.path.getmtime, reverse=True)[_KEPT:]:
            _remove(path)


def user_cache(readers: str) -> Cache:
    """The cache of the user; `readers` is the folder of the code whose change makes entries void."""
    folder = os.environ.get(FOLDER)
    if not folder:
        from platformdirs import user_cache_dir

        folder = user_cache_dir("lakewarden", appauthor=False)
    return Cache(folder, readers)


def _version(readers: str) -> str:
    """Of the program, its readers' code, and Python: another grammar reads another tree."""
    found = hashlib.blake2b(f"{__version__} {sys.implementation.cache_tag} {sys.version_info[:3]}".encode(), digest_size=8)
    for name, size, changed in sorted(_sources(readers)):
        found.update(f"{name} {size} {changed}\n".encode())
    return found.hexdigest()


def _sources(folder: str) -> Iterator[tuple[str, int, int]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir() and entry.name != "__pycache__":
                yield from ((f"{entry.name}/{name}", size, changed) for name, size, changed in _sources(entry.path))
            elif entry.name.endswith(".py"):
                status = entry.stat()
                yield entry.name, status.st_size, status.st_mtime_ns


def _remove(path: str) -> None:
    try:
        os.remove(path)
    except OSError:
        return
