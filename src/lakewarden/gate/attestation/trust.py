"""Whose signatures are believed: public keys, and identities that an instance of Sigstore certified."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.errors import UsageError
from lakewarden.gate.attestation import dsse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from securesystemslib.signer import Key

    from lakewarden.gate.attestation.dsse import Envelope
    from lakewarden.policy.model import AttestationPolicy

_LEAST_RSA = 2048
_ADVICE = "give a public key in PEM: ed25519, ECDSA or RSA"


class Identity(NamedTuple):
    """A workload or person as a certificate names it, and the instance of Sigstore that may have certified it."""

    issuer: str
    subject: str
    instance: str


class Trust(NamedTuple):
    """Who is believed. Nobody is not anybody: without keys and identities no signature counts."""

    keys: tuple[Key, ...] = ()
    identities: tuple[Identity, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.keys or self.identities)


def trust_of(keys: Iterable[Path], policy: AttestationPolicy | None = None, folder: Path | None = None) -> Trust:
    """Who is believed by the files of keys, and by a policy whose files are below `folder`.

    Raises:
        UsageError: a key cannot be read, or is too weak.
    """
    files = list(keys)
    identities: list[Identity] = []
    base = folder if folder is not None else Path()
    for signer in policy.trusted if policy is not None else ():
        if signer.key is not None:
            files.append(base / signer.key)
        elif signer.issuer and signer.subject and signer.sigstore:
            instance = signer.sigstore if signer.sigstore == "public" else str(base / signer.sigstore)
            identities.append(Identity(signer.issuer, signer.subject, instance))
    return Trust(tuple(public_key(file) for file in files), tuple(identities))


def public_key(path: Path) -> Key:
    """The public key in a PEM file."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from securesystemslib.signer import SSlibKey

    try:
        key = load_pem_public_key(path.read_bytes())
        if isinstance(key, RSAPublicKey) and key.key_size < _LEAST_RSA:
            raise UsageError(f"the key {path} is too weak: RSA of {key.key_size} bits", f"use {_LEAST_RSA} bits or more")
        return SSlibKey.from_crypto(key)
    except OSError as problem:
        raise UsageError(f"cannot read the key {path}: {problem.strerror}", _ADVICE) from None
    except (ValueError, UnsupportedAlgorithm):
        raise UsageError(f"{path} holds no public key that can be used", _ADVICE) from None


def signer_of(envelope: Envelope, trust: Trust) -> str | None:
    """Who of those that are believed signed an envelope, in words; None where none did.

    Raises:
        UsageError, SigningError: the root of trust of a Sigstore instance cannot be read.
    """
    if envelope.bundle is None:
        key = dsse.signed_by(envelope, trust.keys) if trust.keys else None
        return f"the key {key.keyid}" if key is not None else None
    from lakewarden.gate.attestation import keyless

    for identity in trust.identities:
        payload = keyless.verified(envelope.bundle, identity.instance, identity.issuer, identity.subject)
        if payload is not None and payload == envelope.payload:
            return f"{identity.subject} of {identity.issuer}"
    return None
