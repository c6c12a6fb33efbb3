"""What reading files gave, kept for the next run in the user's cache folder.

Entries lie in chunks, which are loaded as a whole. An entry is found by the digest of the file's bytes and its path; the name
of the database holds the version of the program, of its readers and of Python. Runs may share it side by side. A cache that
cannot be used is no cache: it never fails a run, and never changes what a run says.
"""

from __future__ import annotations

import hashlib
import os
import sys
import zlib
from typing import TYPE_CHECKING, TypeVar

from lakewarden import __version__

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator, Sequence

T = TypeVar("T")

#: Names another folder for the cache.
FOLDER = "LAKEWARDEN_CACHE_DIR"

#: A database that has grown beyond this is begun anew.
_MAX_BYTES = 256_000_000
#: How many databases of other versions stay.
_KEPT = 4
_AT_ONCE = 500
_WAIT = 2.0  # seconds for another run that is writing
_TABLES = (
    "chunks (id INTEGER PRIMARY KEY, data BLOB NOT NULL)",
    "entries (key BLOB PRIMARY KEY, chunk INTEGER NOT NULL, place INTEGER NOT NULL) WITHOUT ROWID",
    "trees (id BLOB PRIMARY KEY, data BLOB NOT NULL)",
)
_SEAL = 4


def digest_of(data: bytes) -> bytes:
    """16 bytes that stand for a file's bytes."""
    return hashlib.blake2b(data, digest_size=16).digest()


def key_of(path: str, digest: bytes) -> bytes:
    """What an entry is found by: 16 bytes that stand for the digest of a file and its path in the tree, reader included."""
    return hashlib.blake2b(b"%b\0%b" % (path.encode("utf-8", "surrogateescape"), digest), digest_size=16).digest()


class Cache:
    """Entries by key, of one version of the program and its readers; beside them what is remembered of whole trees."""

    def __init__(self, folder: str, readers: str) -> None:
        self._file = os.path.join(folder, f"extracts-{_version(readers)}.sqlite")
        self._folder = folder
        self._broken = False

    def find(self, keys: Sequence[bytes]) -> list[tuple[bytes, dict[bytes, int]]]:
        """The chunks that hold entries, each with the places of those that are asked for."""
        if not keys:
            return []
        in_order = sorted(keys)  # as they lie in the file

        def found(connection: sqlite3.Connection) -> list[tuple[bytes, dict[bytes, int]]]:
            wanted: dict[int, dict[bytes, int]] = {}
            for start in range(0, len(in_order), _AT_ONCE):
                some = in_order[start : start + _AT_ONCE]
                marks = ",".join("?" * len(some))
                places = connection.execute(f"SELECT key, chunk, place FROM entries WHERE key IN ({marks})", some)
                for key, chunk, place in places:
                    wanted.setdefault(chunk, {})[key] = place
            one = "SELECT data FROM chunks WHERE id = ?"
            stored = ((places, connection.execute(one, (chunk,)).fetchone()) for chunk, places in wanted.items())
            return [(data, places) for places, row in stored if row and (data := _unsealed(row[0])) is not None]

        return self._asked(found) or []

    def remembered(self, tree: bytes) -> bytes | None:
        """What an earlier run remembered of a tree."""

        def found(connection: sqlite3.Connection) -> bytes | None:
            row = connection.execute("SELECT data FROM trees WHERE id = ?", (tree,)).fetchone()
            return _unsealed(row[0]) if row else None

        return self._asked(found)

    def keep(self, chunks: Iterable[tuple[bytes, Sequence[bytes]]]) -> None:
        """Add chunks, each with the keys of its entries. Where that is not possible, they are found again by reading in the
        next run.
        """

        def add(connection: sqlite3.Connection) -> None:
            for data, keys in chunks:
                chunk = connection.execute("INSERT INTO chunks (data) VALUES (?)", (_sealed(data),)).lastrowid
                places = ((key, chunk, place) for place, key in enumerate(keys))
                connection.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?, ?)", places)

        try:
            if os.path.exists(self._file) and os.path.getsize(self._file) > _MAX_BYTES:
                os.remove(self._file)
        except OSError:
            self._broken = True
        self._write(add)

    def remember(self, tree: bytes, data: bytes) -> None:
        """Remember something of a tree, in place of what was."""
        self._write(lambda connection: connection.execute("INSERT OR REPLACE INTO trees VALUES (?, ?)", (tree, _sealed(data))))

    def _asked(self, question: Callable[[sqlite3.Connection], T]) -> T | None:
        """What the database answers; None where it cannot."""
        if self._broken or not os.path.exists(self._file):
            return None
        import sqlite3

        try:
            connection = self._open()
            try:
                return question(connection)
            finally:
                connection.close()
        except sqlite3.Error as error:
            self._give_up(error)
            return None

    def _write(self, change: Callable[[sqlite3.Connection], object]) -> None:
        if self._broken:
            return
        import sqlite3

        try:
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            if not os.path.exists(self._file):
                self._forget_others()
            connection = self._open()
            try:
                with connection:
                    change(connection)
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
            for table in _TABLES:
                connection.execute(f"CREATE TABLE IF NOT EXISTS {table}")
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


def _sealed(data: bytes) -> bytes:
    """With a checksum before it."""
    return zlib.crc32(data).to_bytes(_SEAL, "big") + data


def _unsealed(stored: object) -> bytes | None:
    """What was sealed; None where it is damaged."""
    if not isinstance(stored, bytes):
        return None
    data = stored[_SEAL:]
    return data if stored == _sealed(data) else None


def _remove(path: str) -> None:
    try:
        os.remove(path)
    except OSError:
        return
