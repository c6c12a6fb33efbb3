"""Extract many files: from the cache where they are there, on several cores where there is enough to do.

A reader gives a pure function of (bytes, path) at the top of a module, whose result is made of the named tuples of one
module; that is what may be kept and sent between processes.
"""

from __future__ import annotations

import io
import os
import pickle
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from lakewarden.errors import SourceError
from lakewarden.sources.cache import digest_of, key_of, user_cache
from lakewarden.sources.memo import Memo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from types import ModuleType

    from lakewarden.sources.tree import Entry, Tree

T = TypeVar("T", bound=tuple[Any, ...])

#: Bytes. Less is read faster than a cache is opened, or processes are started.
CACHED_FROM = 200_000
PARALLEL_FROM = 3_000_000
_CHUNK = 400_000
_CORES = 8

#: Everything whose change makes kept extracts void.
_READERS = str(Path(__file__).parent)


@dataclass(frozen=True)
class Extractor(Generic[T]):
    """What reads one kind of file: the function, the module of the named tuples that it gives, and their name in the cache."""

    name: str
    extract: Callable[[bytes, str], T]
    results: ModuleType


def extract_all(
    files: Sequence[Entry], tree: Tree, reader: Extractor[T], *, use_cache: bool = True
) -> dict[str, T | SourceError]:
    """The extract of each file, or why it cannot be read, by path, in the order of `files`."""
    if use_cache and sum(entry.size for entry in files) >= CACHED_FROM:
        found = _with_cache(files, tree, reader)
    else:
        texts, found = _read((path for path, _ in files), tree)
        for chunk in _extracted(texts, reader):
            found.update(chunk.extracts)
    return {path: found[path] for path, _ in files}


def _with_cache(files: Sequence[Entry], tree: Tree, reader: Extractor[T]) -> dict[str, T | SourceError]:
    cache = user_cache(_READERS)
    memo = Memo(cache, tree)
    digests = {path: digest for path, _ in files if (digest := memo.digest(path)) is not None}
    texts, found = _read((path for path, _ in files if path not in digests), tree)
    digests.update((path, memo.note(path, data)) for path, data in texts.items())
    keys = {key_of(f"{reader.name}:{path}", digest): path for path, digest in digests.items()}
    made = named_tuples(reader.results)
    for entries, places in cache.find(list(keys)):
        extracts = loaded(entries, made)
        found.update((keys[key], extracts[place]) for key, place in places.items() if place < len(extracts))
    # That a file did not change is of no use where its extract is gone.
    more, problems = _read((path for path in digests if path not in found and path not in texts), tree)
    missing = {path: data for path, data in (texts | more).items() if path not in found}
    new = list(_extracted(missing, reader))
    for chunk in new:
        found.update(chunk.extracts)
    if new:
        cache.keep((chunk.dumped(), [_key(reader, path, missing[path]) for path in chunk.extracts]) for chunk in new)
    memo.keep()
    return found | problems


def _key(reader: Extractor[T], path: str, data: bytes) -> bytes:
    return key_of(f"{reader.name}:{path}", digest_of(data))


def _read(paths: Iterable[str], tree: Tree) -> tuple[dict[str, bytes], dict[str, Any]]:
    """The bytes of files, and the errors of those that cannot be read, by path."""
    texts: dict[str, bytes] = {}
    problems: dict[str, Any] = {}
    for path in paths:
        try:
            texts[path] = tree.read(path)
        except SourceError as problem:  # noqa: PERF203
            problems[path] = problem
    return texts, problems


class _Chunk(NamedTuple):
    """What some files gave, by path; `entries` where it has been made ready for the cache."""

    extracts: dict[str, Any]
    entries: bytes | None = None

    def dumped(self) -> bytes:
        return self.entries if self.entries is not None else dumped(list(self.extracts.values()))


def _extracted(files: Mapping[str, bytes], reader: Extractor[T]) -> Iterator[_Chunk]:
    left = files
    if _cores() > 1 and sum(map(len, files.values())) >= PARALLEL_FROM:
        made = named_tuples(reader.results)
        chunks = [
            _Chunk(dict(zip(paths, loaded(entries, made), strict=False)), entries)
            for paths, entries in _by_processes(files, reader)
        ]
        yield from chunks
        done = {path for chunk in chunks for path in chunk.extracts}
        left = {path: data for path, data in files.items() if path not in done}
    for some in _chunks(left):
        yield _Chunk({path: reader.extract(data, path) for path, data in some})


def _by_processes(files: Mapping[str, bytes], reader: Extractor[T]) -> list[tuple[list[str], bytes]]:
    """The entries of as many files as could be read; when a process dies, the rest is read without them."""
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    # No thread has been started yet, so that a fork is safe; elsewhere it is not to be had.
    context = get_context("fork" if sys.platform == "linux" else "spawn")
    found: list[tuple[list[str], bytes]] = []
    with ProcessPoolExecutor(min(_cores(), _CORES), mp_context=context) as pool:
        try:
            found.extend(pool.map(partial(_entries, reader.extract), _chunks(files)))
        except BrokenProcessPool:
            return found
    return found


def _chunks(files: Mapping[str, bytes]) -> Iterator[list[tuple[str, bytes]]]:
    """Files in groups of about the same size."""
    group: list[tuple[str, bytes]] = []
    size = 0
    for path, data in files.items():
        group.append((path, data))
        size += len(data)
        if size >= _CHUNK:
            yield group
            group, size = [], 0
    if group:
        yield group


def _entries(extract: Callable[[bytes, str], T], files: Sequence[tuple[str, bytes]]) -> tuple[list[str], bytes]:
    return [path for path, _ in files], dumped([extract(data, path) for path, data in files])


def _cores() -> int:
    if sys.version_info < (3, 11):
        return 1  # a process that dies leaves the pool of 3.10 waiting for ever
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Dumper(pickle.Pickler):
    """Writes named tuples as their class and a plain tuple, of which they are made sooner than of their arguments."""

    def reducer_override(self, found: Any) -> Any:
        kind = type(found)
        return (kind, (tuple(found),)) if issubclass(kind, tuple) else NotImplemented


class _Loader(pickle.Unpickler):
    """Makes nothing but the named tuples of one module: a folder on disk is not worth the trust that pickles ask for."""

    def __init__(self, entries: bytes, made: Mapping[tuple[str, str], partial[Any]]) -> None:
        super().__init__(io.BytesIO(entries))
        self._made = made

    def find_class(self, module: str, name: str) -> Any:
        found = self._made.get((module, name))
        if found is None:
            raise pickle.UnpicklingError(f"{module}.{name} is no part of an extract")
        return found


def dumped(extracts: list[Any]) -> bytes:
    """A chunk of the cache."""
    written = io.BytesIO()
    _Dumper(written, pickle.HIGHEST_PROTOCOL).dump(extracts)
    return written.getvalue()


def named_tuples(results: ModuleType) -> dict[tuple[str, str], partial[Any]]:
    """What makes the named tuples that an entry may hold, by module and name."""
    return {
        (results.__name__, name): partial(tuple.__new__, found)
        for name, found in vars(results).items()
        if isinstance(found, type) and issubclass(found, tuple)
    }


def loaded(entries: bytes, made: Mapping[tuple[str, str], partial[Any]]) -> list[Any]:
    """The entries of a chunk of the cache; none where it is damaged."""
    try:
        found = _Loader(entries, made).load()
    except (pickle.UnpicklingError, EOFError, ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError):
        return []
    kinds = {maker.args[0] for maker in made.values()}
    return found if isinstance(found, list) and all(type(one) in kinds for one in found) else []
