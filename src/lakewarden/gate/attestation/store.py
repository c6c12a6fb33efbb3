"""Writes the attestation of a result: evidence, properties and decision, each file whole or not at all."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from lakewarden.errors import SigningError
from lakewarden.gate.attestation.bundle import bundle
from lakewarden.gate.attestation.canonical import canonical
from lakewarden.gate.attestation.sign import Sealer, sealer
from lakewarden.gate.attestation.statement import refuse_unattestable, svr, vsa

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lakewarden.gate.result import GateResult


class Stored(NamedTuple):
    """The files of an attestation by kind (`evidence`, `svr`, `vsa`), and the SHA-256 of each in hex."""

    paths: dict[str, Path]
    digests: dict[str, str]


def store(result: GateResult, folder: Path, by: Sealer | None = None, secrets: Iterable[str] = ()) -> Stored:
    """Write the attestation of a result into a folder. An earlier one of the version is kept, under a name with its digest.

    Everything is signed before anything is written; the decision is written last.

    Raises:
        UsageError: the result cannot be attested.
        SigningError: it was not signed, or not written.
    """
    refuse_unattestable(result)
    by = by if by is not None else sealer(None)
    stem = stem_of(result.model, str(result.number))
    secrets = tuple(secrets)
    evidence = bundle(result, secrets) + b"\n"
    names = {"evidence": f"{stem}.evidence.json", "svr": f"{stem}.svr.{by.suffix}", "vsa": f"{stem}.vsa.{by.suffix}"}
    contents = {
        "evidence": evidence,
        "svr": by.seal(canonical(svr(result, secrets))),
        "vsa": by.seal(canonical(vsa(result, names["evidence"], _sha256(evidence)))),
    }
    paths = {kind: folder / name for kind, name in names.items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for kind, path in paths.items():
            _keep(path, contents[kind])
            _write(path, contents[kind])
    except OSError as problem:
        told = f"cannot store the attestation in {folder}: {problem.strerror}"
        raise SigningError(told, "check the folder and its permissions; nothing may be promoted without it") from None
    return Stored(paths, {kind: _sha256(content) for kind, content in contents.items()})


def stem_of(model: str, number: str) -> str:
    """How the files of a version are called."""
    return f"{quote(model, safe='')}-{quote(number, safe='')}".replace("~", "%7E")


def put(path: Path, content: bytes) -> str:
    """Write a file of its own beside attestations, keeping what it held before; gives its SHA-256 in hex.

    Raises:
        SigningError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _keep(path, content)
        _write(path, content)
    except OSError as problem:
        told = f"cannot store {path.name} in {path.parent}: {problem.strerror}"
        raise SigningError(told, "check the folder and its permissions") from None
    return _sha256(content)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _keep(path: Path, new: bytes) -> None:
    """What was decided before stays readable: `m-7.vsa.dsse.json` becomes `m-7.vsa.dsse.<digest>.json` as well."""
    if path.is_file() and (old := path.read_bytes()) != new:
        _write(path.with_suffix(f".{_sha256(old)[:16]}.json"), old)


def _write(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=".lakewarden-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
