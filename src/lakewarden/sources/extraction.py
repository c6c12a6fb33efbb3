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
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from lakewarden.sources.cache import key_of, user_cache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import ModuleType

    from lakewarden.sources.cache import Cache

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


def extract_all(files: Mapping[str, bytes], reader: Extractor[T], *, use_cache: bool = True) -> dict[str, T]:
    """The extract of each file, by path, in the order of `files`."""
    if not use_cache or sum(map(len, files.values())) < CACHED_FROM:
        return dict(_extracted(files, reader, None, {}))
    cache = user_cache(_READERS)
    keys = {path: key_of(f"{reader.name}:{path}", data) for path, data in files.items()}
    kept = cache.find(list(keys.values()))
    made = _named_tuples(reader.results)
    known: dict[str, T | None] = {path: _loaded(kept[key], made) for path, key in keys.items() if key in kept}
    missing = {path: data for path, data in files.items() if known.get(path) is None}
    new = dict(_extracted(missing, reader, cache, keys))
    return {path: known.get(path) or new[path] for path in files}


def _extracted(
    files: Mapping[str, bytes], reader: Extractor[T], cache: Cache | None, keys: Mapping[str, bytes]
) -> Iterator[tuple[str, T]]:
    entries: dict[str, bytes] = {}
    if _cores() > 1 and sum(map(len, files.values())) >= PARALLEL_FROM:
        entries = _by_processes(files, reader)
        for path, entry in entries.items():
            yield path, pickle.loads(entry)  # noqa: S301  (written by our own processes just now)
    found = {path: reader.extract(data, path) for path, data in files.items() if path not in entries}
    if cache is not None and files:
        entries.update((path, _dumped(one)) for path, one in found.items())
        cache.keep((keys[path], entry) for path, entry in entries.items())
    yield from found.items()


def _by_processes(files: Mapping[str, bytes], reader: Extractor[T]) -> dict[str, bytes]:
    """The entries of as many files as could be read; when a process dies, the rest is read without them."""
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from functools import partial
    from multiprocessing import get_context

    # No thread has been started yet, so that a fork is safe; elsewhere it is not to be had.
    context = get_context("fork" if sys.platform == "linux" else "spawn")
    entries: dict[str, bytes] = {}
    with ProcessPoolExecutor(min(_cores(), _CORES), mp_context=context) as pool:
        try:
            for some in pool.map(partial(_entries, reader.extract), _chunks(files)):
                entries.update(some)
        except BrokenProcessPool:
            return entries
    return entries


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


def _entries(extract: Callable[[bytes, str], T], files: Sequence[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    return [(path, _dumped(extract(data, path))) for path, data in files]


def _cores() -> int:
    if sys.version_info < (3, 11):
        return 1  # a process that dies leaves the pool of 3.10 waiting for ever
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _dumped(found: tuple[Any, ...]) -> bytes:
    return pickle.dumps(found, pickle.HIGHEST_PROTOCOL)


class _Loader(pickle.Unpickler):
    """Makes nothing but the named tuples of one module: a folder on disk is not worth the trust that pickles ask for."""

    def __init__(self, entry: bytes, made: Mapping[tuple[str, str], type]) -> None:
        super().__init__(io.BytesIO(entry))
        self._made = made

    def find_class(self, module: str, name: str) -> Any:
        found = self._made.get((module, name))
        if found is None:
            raise pickle.UnpicklingError(f"{module}.{name} is no part of an extract")
        return found


def _named_tuples(results: ModuleType) -> dict[tuple[str, str], type]:
    """What an entry may hold, by module and name."""
    return {
        (results.__name__, name): found
        for name, found in vars(results).items()
        if isinstance(found, type) and issubclass(found, tuple)
    }


def _loaded(entry: bytes, made: Mapping[tuple[str, str], type]) -> Any:
    """An entry of the cache; None where it is damaged."""
    try:
        found = _Loader(entry, made).load()
    except (pickle.UnpicklingError, EOFError, ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError):
        return None
    return found if type(found) in made.values() else None
