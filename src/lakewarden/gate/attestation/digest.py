"""The digest of a model's files: the manifest of OpenSSF model signing, over every file, in one hash that holds names too.

The digest that model signing itself puts on the subject of a signature (`root` here) is over the digests of the files
alone: files whose names are changed in the same order keep it. So a version is named by the hash of the manifest.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.errors import SourceError, UsageError
from lakewarden.gate.attestation.canonical import canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_CHUNK = 1 << 20
#: What MLflow adds to the files of a registered version that it downloads.
_WRITTEN_DOWN, _LONG = "registered_model_meta", 4096
_WHICH = re.compile(rb"model_name: [^\r\n]+\r?\nmodel_version: [^\r\n]+\r?\n")
#: What the manifest says of how it was made, in the words of model signing: whole files, SHA-256, none left out.
SERIALIZATION = {"allow_symlinks": False, "hash_type": "sha256", "method": "files"}


class HashedFile(NamedTuple):
    """A file of a model: its path relative to the model, with `/`, the SHA-256 of its bytes in hex, and their number."""

    path: str
    sha256: str
    size: int


class ModelDigest(NamedTuple):
    """The files of a model, sorted as in the manifest. `sha256` names their content and names; `root` is model signing's own."""

    sha256: str
    root: str
    files: tuple[HashedFile, ...]

    @property
    def size(self) -> int:
        """How many bytes all files have."""
        return sum(file.size for file in self.files)


def digest(files: Iterable[tuple[str, Iterable[bytes]]], progress: Callable[[int], None] = lambda _: None) -> ModelDigest:
    """The digest of files that come one by one, each in chunks; only their hashes are kept. `progress` is told each chunk's size.

    Raises:
        SourceError: there is no file, or two of one path, or a path that is not a plain one below the model.
    """
    return digest_of(hashed(path, chunks, progress) for path, chunks in files)


def hashed(path: str, chunks: Iterable[bytes], progress: Callable[[int], None] = lambda _: None) -> HashedFile:
    """One file of a model, read to its end."""
    hasher, size = hashlib.sha256(), 0
    for chunk in chunks:
        hasher.update(chunk)
        size += len(chunk)
        progress(len(chunk))
    return HashedFile(path, hasher.hexdigest(), size)


def digest_of(files: Iterable[HashedFile]) -> ModelDigest:
    """The digest of files that are hashed already, in any order."""
    found: dict[tuple[str, ...], HashedFile] = {}
    for file in files:
        parts = _parts(file.path)
        if parts in found:
            raise _wrong(f"two files are called {file.path!r}")
        found[parts] = file
    if not found:
        raise _wrong("there is no file")
    # Model signing sorts paths by their parts: `a/b` comes before `a.b`.
    ordered = tuple(found[parts] for parts in sorted(found))
    resources = [{"algorithm": "sha256", "digest": file.sha256, "name": file.path} for file in ordered]
    manifest = canonical({"resources": resources, "serialization": SERIALIZATION})
    root = hashlib.sha256(b"".join(bytes.fromhex(file.sha256) for file in ordered))
    return ModelDigest(hashlib.sha256(manifest).hexdigest(), root.hexdigest(), ordered)


def _parts(path: str) -> tuple[str, ...]:
    parts = tuple(path.split("/"))
    if not path.isprintable() and any(ord(c) < ord(" ") for c in path):
        raise _wrong(f"the path {path!r} holds control characters")
    if any(part in {"", ".", ".."} for part in parts):
        raise _wrong(f"{path!r} is no plain path below the model")
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        raise _wrong(f"the path {path!r} is no Unicode") from None
    return parts


def _wrong(what: str) -> SourceError:
    return SourceError("failed", f"the files of the model have no digest: {what}", "list the version's files")


def files_in(folder: Path) -> Iterator[tuple[str, Iterable[bytes]]]:
    """Every file below a folder, hidden ones too, in chunks.

    Raises:
        SourceError: something is neither file nor folder (a symbolic link may lead anywhere), or cannot be read.
    """
    try:
        for here, folders, names in os.walk(folder, onerror=_raise):
            for name in sorted((*folders, *names)):
                path = Path(here) / name
                if path.is_symlink() or not (path.is_file() or path.is_dir()):
                    raise _wrong(f"{path.relative_to(folder).as_posix()!r} is neither a file nor a folder")
            for name in names:
                path = Path(here) / name
                yield path.relative_to(folder).as_posix(), _chunks(path)
    except OSError as problem:
        raise SourceError("failed", f"{folder} cannot be read: {problem.strerror}", "check the folder") from None


def downloaded(folder: Path) -> Iterator[tuple[str, Iterable[bytes]]]:
    """The files of a version that MLflow has downloaded, as `files_in` gives them: without the one in which MLflow writes down,
    beside them, which version it is, as long as that is all that it holds.

    Raises:
        SourceError: as `files_in`.
    """
    for path, chunks in files_in(folder):
        if path != _WRITTEN_DOWN or not _is_which(folder / path):
            yield path, chunks


def _is_which(file: Path) -> bool:
    with file.open("rb") as opened:
        content = opened.read(_LONG + 1)
    return len(content) <= _LONG and _WHICH.fullmatch(content) is not None


def _raise(problem: OSError) -> None:
    raise problem


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def sha256_of(file: Path) -> str:
    """SHA-256 of a file in hex.

    Raises:
        UsageError: it cannot be read.
    """
    hasher = hashlib.sha256()
    try:
        with file.open("rb") as opened:
            while chunk := opened.read(1 << 20):
                hasher.update(chunk)
    except OSError as problem:
        raise UsageError(f"cannot read {file}: {problem.strerror}", "check the path") from None
    return hasher.hexdigest()
