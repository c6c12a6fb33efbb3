"""Who signs: a key in a file, a key in a key management service, a workload identity by Sigstore; or nobody."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from lakewarden.errors import SigningError, UsageError
from lakewarden.gate.attestation import dsse
from lakewarden.gate.attestation.statement import PAYLOAD
from lakewarden.sources.time_left import REMEDY, left
from lakewarden.sources.trust import tell_libraries

if TYPE_CHECKING:
    from collections.abc import Callable

    from securesystemslib.signer import Signer

    from lakewarden.policy.model import GatePolicy

#: Environment variables that a passphrase and the PIN of a security module are read from.
PASSPHRASE, PIN = "LAKEWARDEN_KEY_PASSPHRASE", "LAKEWARDEN_HSM_PIN"
#: The forms of `--sign`.
FORMS = "key:FILE, awskms:KEY, azurekms:VAULT/KEY, gcpkms:KEY-VERSION, hsm:KEY-ID or sigstore:"

#: By scheme: the class of securesystemslib, and what its driver raises, as module and name.
_SERVICES: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "awskms": ("AWSSigner", (("botocore.exceptions", "BotoCoreError"), ("botocore.exceptions", "ClientError"))),
    "azurekms": ("AzureSigner", (("azure.core.exceptions", "AzureError"),)),
    "gcpkms": ("GCPSigner", (("google.api_core.exceptions", "GoogleAPIError"), ("google.auth.exceptions", "GoogleAuthError"))),
    "hsm": ("HSMSigner", (("pkcs11.exceptions", "PKCS11Error"),)),
}
_LEAST_RSA = 2048
#: How long a service may take, and what it gets of that in any case.
_SECONDS, _LEAST_SECONDS = 60.0, 1.0
T = TypeVar("T")
U = TypeVar("U")


class Sealer(NamedTuple):
    """What puts statements into envelopes: how, the end of the name of its files, and who it is, in words."""

    seal: Callable[[bytes], bytes]
    suffix: str = "dsse.json"
    by: str = "nobody"


def sealer(spec: str | None, instance: str | None = None, *, allow_public_log: bool = False) -> Sealer:
    """The sealer that `--sign` names; None for envelopes without signatures.

    `instance` is the Sigstore instance of the policy: a file with its client trust config, or `public`.

    Raises:
        UsageError: it names no signer, the key cannot be used, or a driver is not installed.
        SigningError: a service refused or did not answer.
    """
    if spec is None:
        return Sealer(lambda payload: dsse.seal(payload, PAYLOAD, None))
    scheme, _, rest = spec.partition(":")
    if scheme == "key" and rest:
        signer = _of_file(Path(rest).expanduser())
        return Sealer(lambda payload: dsse.seal(payload, PAYLOAD, signer), by=f"the key {signer.public_key.keyid}")
    tell_libraries()
    if scheme in _SERVICES:
        return timely(partial(_of_service, scheme), rest, who=spec)
    if scheme == "sigstore":
        from lakewarden.gate.attestation import keyless

        return keyless.sealer(instance, allow_public_log=allow_public_log)
    raise UsageError(f"{spec!r} names nothing to sign with", f"--sign takes {FORMS}")


def sealer_of(spec: str | None, gate: GatePolicy, folder: Path) -> Sealer:
    """The sealer that `--sign` names, with the instance of the policy, whose files are below `folder`. Raises as `sealer`."""
    instance = gate.sigstore if gate.sigstore in {None, "public"} else str(folder / gate.sigstore)
    return sealer(spec, instance, allow_public_log=gate.allow_public_log)


def _of_file(path: Path) -> Signer:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.signer import CryptoSigner

    advice = f"give a private key in PEM: ed25519, ECDSA or RSA; a passphrase in {PASSPHRASE}"
    passphrase = os.environ.get(PASSPHRASE)
    try:
        key = load_pem_private_key(path.read_bytes(), passphrase.encode() if passphrase else None)
    except OSError as problem:
        raise UsageError(f"cannot read the key {path}: {problem.strerror}", advice) from None
    except TypeError:  # a passphrase is missing, or there is one too many
        what = "has no passphrase, but one is set" if passphrase else "is encrypted, and no passphrase is set"
        raise UsageError(f"the key {path} {what}", f"the passphrase is read from {PASSPHRASE}") from None
    except (ValueError, UnsupportedAlgorithm):  # what they say may hold a part of the key
        raise UsageError(f"{path} holds no private key that can be read", advice) from None
    if not isinstance(key, (Ed25519PrivateKey, EllipticCurvePrivateKey, RSAPrivateKey)):
        raise UsageError(f"the key {path} is of a kind that is not used for signatures here", advice)
    if isinstance(key, RSAPrivateKey) and key.key_size < _LEAST_RSA:
        raise UsageError(f"the key {path} is too weak: RSA of {key.key_size} bits", f"use {_LEAST_RSA} bits or more")
    try:
        return CryptoSigner(key)
    except ValueError as problem:
        raise UsageError(f"the key {path} cannot be used: {problem}", advice) from None


def _of_service(scheme: str, name: str) -> Sealer:
    """A key that stays where it is. Its public half is asked for, so that the envelope names it."""
    from securesystemslib import exceptions
    from securesystemslib import signer as signers

    refused: tuple[type[Exception], ...] = (*_raised(scheme), OSError, RuntimeError, exceptions.Error)
    kind = getattr(signers, _SERVICES[scheme][0])
    try:
        if scheme == "azurekms":
            vault, _, key = name.partition("/")
            if not vault or not key:
                raise UsageError(f"azurekms:{name} names no key", "write azurekms:VAULT/KEY")
            uri, public = kind.import_(vault, key)
        elif scheme == "hsm":
            uri, public = kind.import_(int(name) if name else None)
        else:
            uri, public = kind.import_(name)
        signer = signers.Signer.from_priv_key_uri(uri, public, _pin)
    except exceptions.UnsupportedLibraryError as problem:
        raise UsageError(f"{scheme}: needs a driver that is not installed", _install(scheme)) from problem
    except (exceptions.UnsupportedAlgorithmError, ValueError) as problem:
        raise UsageError(f"{scheme}:{name} cannot be used: {problem}", "see `lakewarden gate --help`") from problem
    except refused as problem:
        raise _failed(scheme, name, problem) from problem

    def seal(payload: bytes) -> bytes:
        try:
            return dsse.seal(payload, PAYLOAD, signer)
        except refused as problem:
            raise _failed(scheme, name, problem) from problem

    return Sealer(partial(timely, seal, who=f"{scheme}:{name}"), by=f"the key {public.keyid} ({scheme})")


def timely(call: Callable[[T], U], given: T, *, who: str) -> U:
    """What a service answers that bounds no time itself, in the time that the command has left.

    Raises:
        SigningError: it does not answer in time.
    """
    from lakewarden.sources.platform.wire.deadline import Late, within

    try:
        # What was decided when the time was over is to be signed too.
        return within(lambda: call(given), max(_LEAST_SECONDS, left(_SECONDS)))
    except Late:
        raise SigningError(f"{who} did not answer in time", f"nothing was stored; {REMEDY}") from None


def _install(scheme: str) -> str:
    return f"run: pip install 'securesystemslib[{scheme}]'"


def _pin(_: str) -> str:
    if PIN not in os.environ:
        raise UsageError("the security module wants a PIN", f"it is read from {PIN}")
    return os.environ[PIN]


def _failed(scheme: str, name: str, problem: Exception) -> SigningError:
    from lakewarden.sources.platform.wire.redact import redact

    told = redact(f"{type(problem).__name__}: {problem}", opaque=False)
    return SigningError(f"{scheme}:{name} did not sign: {told}", "nothing was stored; check the key's name and its grants")


def _raised(scheme: str) -> tuple[type[Exception], ...]:
    found: list[type[Exception]] = []
    for module, name in _SERVICES[scheme][1]:
        with suppress(ImportError):
            found.append(getattr(import_module(module), name))
    return tuple(found)
