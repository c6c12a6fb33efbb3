"""The digest of a version's files as they come over the wire: nothing is kept but hashes, whatever the model's size."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from lakewarden.gate.attestation.digest import HashedFile, digest_of
from lakewarden.sources.platform.wire.errors import Truncated

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakewarden.sources.platform.gate.files import ModelFiles


class _Hashing:
    """One file, from the beginning of one try."""

    def __init__(self) -> None:
        self.hash, self.size = hashlib.sha256(), 0

    def add(self, part: bytes) -> None:
        self.hash.update(part)
        self.size += len(part)


def digest_of_files(files: ModelFiles, progress: Callable[[int], None] = lambda _size: None) -> str:
    """The SHA-256 of the manifest of all files, in hex; `progress` is told the size of each file that was read.

    Raises:
        SourceError: a file cannot be read, or fewer bytes came than it has.
    """
    found = []
    for path, size in files.paths():
        tries: list[_Hashing] = []
        files.stream(path, lambda tries=tries: _begun(tries))  # type: ignore[misc]  # a lambda's default
        if not tries:
            raise Truncated(f"nothing of {path} came", "run again")
        last = tries[-1]
        if size is not None and size != last.size:
            raise Truncated(f"{path} has {size:,} bytes, of which {last.size:,} came", "run again")
        found.append(HashedFile(path, last.hash.hexdigest(), last.size))
        progress(last.size)
    return digest_of(found).sha256


def _begun(tries: list[_Hashing]) -> Callable[[bytes], None]:
    tries.append(_Hashing())
    return tries[-1].add
