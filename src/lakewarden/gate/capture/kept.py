"""What signed statements in a folder say of a version: what was captured of its run, and the digest that its files had."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from lakewarden.errors import SigningError, SourceError
from lakewarden.facts.gaps import Cause
from lakewarden.sources.platform.databricks.captured import Believed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lakewarden.gate.attestation.dsse import Envelope
    from lakewarden.gate.attestation.trust import Trust

#: Digests that contradict each other are equal to none.
_SEVERAL = "several digests were attested: "


class Before(NamedTuple):
    """What is believed of a version: its captured runs, and each digest that was captured or attested; and the files that say so,
    each with its SHA-256.
    """

    said: Believed
    digests: frozenset[str]
    files: tuple[tuple[str, str], ...] = ()

    @property
    def digest(self) -> str | None:
        """The digest before; None where there is none."""
        if len(self.digests) > 1:
            return _SEVERAL + ", ".join(sorted(self.digests))
        return next(iter(self.digests), None)


def before(folder: Path | None, uri: str, trust: Trust) -> Before:
    """What a folder of attestations says of a version. What is not signed by somebody who is trusted says nothing.

    Raises:
        SourceError: the folder, or a root of trust, cannot be read.
    """
    from lakewarden.gate.capture.statement import NotProvenanceError, read_statement

    captures, digests, refused, files = [], set[str](), list[str](), list[tuple[str, str]]()
    number = quote(uri.rpartition("/versions/")[2], safe="")
    for path in _files(folder, f"*-{number}.provenance.*json"):
        envelope = _opened(path, trust, refused)
        if envelope is None:
            continue
        try:
            capture, digest = read_statement(envelope.payload, envelope.payload_type, uri)
        except NotProvenanceError as problem:
            refused.append(f"{path.name} {problem}")
            continue
        captures.append(capture)
        digests.add(digest)
        files.append((path.name, _sha256(path)))
    for path in _files(folder, f"*-{number}.vsa.*json"):
        envelope = _opened(path, trust, [])
        found = None if envelope is None else _attested(envelope, uri)
        if found is not None:
            digests.add(found)
            files.append((path.name, _sha256(path)))
    return Before(Believed(tuple(captures), tuple(refused), asked=True), frozenset(digests), tuple(files))


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as problem:
        raise _unread(path, problem) from None


def _files(folder: Path | None, glob: str) -> Iterator[Path]:
    if folder is None or not folder.exists():
        return
    try:
        found = sorted(path for path in folder.iterdir() if path.match(glob))
    except OSError as problem:
        raise _unread(folder, problem) from None
    yield from found


def _unread(path: Path, problem: OSError) -> SourceError:
    return SourceError(Cause.REFUSED.value, f"cannot read {path}: {problem.strerror}", "check the folder and its permissions")


def _opened(path: Path, trust: Trust, refused: list[str]) -> Envelope | None:
    """The envelope in a file, if somebody who is trusted signed it."""
    from lakewarden.gate.attestation.dsse import LARGEST, NotAnEnvelopeError, opened
    from lakewarden.gate.attestation.trust import signer_of

    try:
        with path.open("rb") as file:
            envelope = opened(file.read(LARGEST + 1))
        if not any(envelope.signatures):
            refused.append(f"{path.name} is not signed")
        elif not trust:
            refused.append(f"{path.name} is signed, and the policy trusts nobody")
        elif signer_of(envelope, trust) is None:
            refused.append(f"{path.name} is not signed by somebody whom the policy trusts")
        else:
            return envelope
    except NotAnEnvelopeError as problem:
        refused.append(f"{path.name}: {problem}")
    except SigningError as problem:
        raise SourceError(Cause.UNREACHABLE.value, f"{path.name} cannot be verified: {problem.message}", problem.advice) from None
    except OSError as problem:
        raise _unread(path, problem) from None
    return None


def _attested(envelope: Envelope, uri: str) -> str | None:
    """The digest that a verification summary is about, whatever it decided."""
    from lakewarden.gate.attestation.canonical import NotCanonicalError, parsed
    from lakewarden.gate.attestation.statement import PAYLOAD, VSA

    try:
        said = parsed(envelope.payload)
        (subject,) = said["subject"]
        if envelope.payload_type != PAYLOAD or said["predicateType"] != VSA or subject["name"] != uri:
            return None
        return str(subject["digest"]["sha256"])
    except (NotCanonicalError, KeyError, TypeError, ValueError):
        return None
