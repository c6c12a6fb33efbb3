"""DSSE envelopes: bytes with signatures over them and their type (pre-authentication encoding), by securesystemslib."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lakewarden.gate.attestation.canonical import NotCanonicalError, canonical, parsed

if TYPE_CHECKING:
    from securesystemslib.signer import Key, Signer

#: What is larger is no attestation of ours: they have a few kilobytes.
LARGEST = 1 << 20
_MOST_SIGNATURES = 16


class NotAnEnvelopeError(ValueError):
    """Bytes that are no DSSE envelope, and no Sigstore bundle with one."""


@dataclass(frozen=True)
class Envelope:
    """A payload that nobody has looked into yet, its type, and the signatures over both. `bundle` is Sigstore's, if it has one."""

    payload: bytes
    payload_type: str
    signatures: tuple[bytes, ...]
    bundle: bytes | None = None

    @property
    def pae(self) -> bytes:
        """What is signed: type and payload with their lengths."""
        return encoded(self.payload, self.payload_type)


def encoded(payload: bytes, payload_type: str) -> bytes:
    """The pre-authentication encoding of a payload."""
    from securesystemslib.dsse import Envelope as Sealed

    return Sealed(payload, payload_type, {}).pae()


def seal(payload: bytes, payload_type: str, signer: Signer | None) -> bytes:
    """An envelope as a file holds it; without a signer it has no signatures."""
    signatures: list[dict[str, str]] = []
    if signer is not None:
        signature = signer.sign(encoded(payload, payload_type))
        signatures.append({"keyid": signature.keyid, "sig": _base64(bytes.fromhex(signature.signature))})
    return canonical({"payload": _base64(payload), "payloadType": payload_type, "signatures": signatures}) + b"\n"


def opened(content: bytes) -> Envelope:
    """The envelope in a file: a DSSE envelope, or one inside a Sigstore bundle.

    Raises:
        NotAnEnvelopeError: it is none.
    """
    if len(content) > LARGEST:
        raise NotAnEnvelopeError(f"it is larger than {LARGEST:,} bytes")
    try:
        document = parsed(content)
    except NotCanonicalError as problem:
        raise NotAnEnvelopeError(f"it {problem}") from None
    if not isinstance(document, dict):
        raise NotAnEnvelopeError("it is no DSSE envelope")
    if "mediaType" in document:
        if not isinstance(document.get("dsseEnvelope"), dict):
            raise NotAnEnvelopeError("it is a Sigstore bundle without a DSSE envelope")
        return _envelope(document["dsseEnvelope"], content)
    return _envelope(document, None)


def _envelope(document: dict[str, Any], bundle: bytes | None) -> Envelope:
    payload_type, signatures = document.get("payloadType"), document.get("signatures")
    if not isinstance(payload_type, str) or not isinstance(signatures, list):
        raise NotAnEnvelopeError("it is no DSSE envelope: payloadType or signatures are missing")
    if len(signatures) > _MOST_SIGNATURES:
        raise NotAnEnvelopeError(f"it has more than {_MOST_SIGNATURES} signatures")
    if not all(isinstance(signature, dict) for signature in signatures):
        raise NotAnEnvelopeError("it has a signature that is none")
    found = tuple(_bytes(signature.get("sig")) for signature in signatures)
    return Envelope(_bytes(document.get("payload")), payload_type, found, bundle)


def signed_by(envelope: Envelope, keys: tuple[Key, ...]) -> Key | None:
    """The first of the keys that made one of the signatures. The id that a signature tells of its key is only a hint."""
    from securesystemslib.exceptions import UnverifiedSignatureError
    from securesystemslib.signer import Signature

    pae = envelope.pae
    for key in keys:
        for signature in envelope.signatures:
            try:
                key.verify_signature(Signature(key.keyid, signature.hex()), pae)
            except UnverifiedSignatureError:  # of which the error of a malformed signature is one
                continue
            return key
    return None


def _bytes(value: Any) -> bytes:
    if not isinstance(value, str):
        raise NotAnEnvelopeError("it is no DSSE envelope: payload or sig is missing")
    try:
        return base64.b64decode(value.encode("ascii").translate(_URL_SAFE), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise NotAnEnvelopeError("it holds what is no base64") from None


_URL_SAFE = bytes.maketrans(b"-_", b"+/")


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
