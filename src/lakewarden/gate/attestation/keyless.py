"""Signatures of workload identities, by an instance of Sigstore: its authority certifies the identity, its log records it.

The public instance publishes the names of repository and workflow for ever: it is used only where the policy allows it.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lakewarden.errors import SigningError, UsageError
from lakewarden.gate.attestation.sign import Sealer, timely
from lakewarden.gate.attestation.statement import PAYLOAD
from lakewarden.sources.trust import tell_libraries

if TYPE_CHECKING:
    from sigstore.models import ClientTrustConfig, TrustedRoot

PUBLIC = "public"
#: Where the token of a workload is read from; else from what CI offers.
TOKEN = "SIGSTORE_ID_TOKEN"  # noqa: S105  (a name)
_PUBLIC_HOSTS = ("sigstore.dev", "sigstage.dev")


def sealer(instance: str | None, *, allow_public_log: bool) -> Sealer:
    """What signs as the workload that this process is.

    Raises:
        UsageError: the policy names no instance or does not allow it, or there is no identity here.
        SigningError: the instance refused or did not answer.
    """
    if instance is None:
        raise UsageError(
            "the policy names no instance of Sigstore to sign with",
            'set gate.sigstore to the file of its client trust config, or to "public" with gate.allow_public_log = true',
        )
    if instance == PUBLIC and not allow_public_log:
        raise _not_allowed("the public instance of Sigstore")
    config = trust_config(instance)
    if not allow_public_log and (public := _public_hosts(config)):
        raise _not_allowed(f"{instance} names {public[0]}: it")

    def seal(payload: bytes) -> bytes:
        return _signed(payload, config)

    return Sealer(partial(timely, seal, who="Sigstore"), suffix="sigstore.json", by=f"this workload, by Sigstore ({instance})")


def _not_allowed(what: str) -> UsageError:
    return UsageError(
        f"{what} publishes the names of this repository and workflow for ever",
        "use an instance of your own, or allow it: gate.allow_public_log = true",
    )


def _public_hosts(config: ClientTrustConfig) -> list[str]:
    inner = config._inner.signing_config  # noqa: SLF001  (sigstore tells its services nowhere else)
    services = (*inner.ca_urls, *inner.rekor_tlog_urls, *(inner.tsa_urls or ()))
    hosts = [urlsplit(service.url).hostname or "" for service in services]
    return [host for host in hosts if any(host == end or host.endswith(f".{end}") for end in _PUBLIC_HOSTS)]


def trust_config(instance: str) -> ClientTrustConfig:
    """What an instance is known by: its authority, its logs, its services.

    Raises:
        UsageError: the file cannot be used.
        SigningError: the public instance did not answer.
    """
    from sigstore.errors import Error
    from sigstore.models import ClientTrustConfig

    try:
        if instance == PUBLIC:
            tell_libraries()
            return timely(lambda _: ClientTrustConfig.production(), None, who="Sigstore")
        return ClientTrustConfig.from_json(Path(instance).read_text(encoding="utf-8"))
    except (ValueError, Error) as problem:
        if instance == PUBLIC:
            raise SigningError("the root of trust of Sigstore could not be read", "check the network") from problem
        raise UsageError(f"{instance} is no client trust config of Sigstore", "ask who runs the instance for it") from problem
    except OSError as problem:
        raise UsageError(f"cannot read {instance}: {problem.strerror or problem}", "see gate.sigstore of the policy") from None


def _trusted_root(instance: str) -> TrustedRoot:
    """What verifies: of a client trust config, or a file that is a trusted root itself."""
    from sigstore.errors import Error
    from sigstore.models import TrustedRoot

    if instance != PUBLIC:
        try:
            return TrustedRoot.from_file(instance)
        except (ValueError, Error, OSError):
            pass  # the other form, or neither
    return trust_config(instance).trusted_root


def _signed(payload: bytes, config: ClientTrustConfig) -> bytes:
    import requests
    from sigstore._internal.fulcio.client import FulcioClientError
    from sigstore._internal.rekor import RekorClientError
    from sigstore.dsse import Statement
    from sigstore.errors import Error
    from sigstore.oidc import ExpiredIdentity, IdentityToken, detect_credential
    from sigstore.sign import SigningContext

    try:
        raw = os.environ.get(TOKEN) or detect_credential()
        if not raw:
            raise UsageError(
                "there is no workload identity here to sign as",
                f"run in CI with an id token, or set {TOKEN} (audience `sigstore`)",
            )
        with SigningContext.from_trust_config(config).signer(IdentityToken(raw)) as signer:
            return signer.sign_dsse(Statement(payload)).to_json().encode() + b"\n"
    except (ExpiredIdentity, FulcioClientError, RekorClientError, Error, requests.RequestException, ValueError) as problem:
        raise SigningError(
            f"Sigstore did not sign: {type(problem).__name__}", "nothing was stored; check the instance, and the token's audience"
        ) from problem


def verified(bundle: bytes, instance: str, issuer: str, subject: str) -> bytes | None:
    """The payload of a Sigstore bundle that this identity signed, by this instance; None where it did not.

    Raises:
        UsageError, SigningError: the instance's root of trust cannot be read.
    """
    from sigstore.errors import Error
    from sigstore.models import Bundle
    from sigstore.verify import Verifier
    from sigstore.verify.policy import Identity

    root = _trusted_root(instance)
    try:
        read = Bundle.from_json(bundle)
        kind, payload = Verifier(trusted_root=root).verify_dsse(read, Identity(identity=subject, issuer=issuer))
    except (Error, ValueError):
        return None
    return payload if kind == PAYLOAD else None
