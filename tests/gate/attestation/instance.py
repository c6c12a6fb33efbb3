"""An instance of Sigstore of one's own: an authority that certifies identities, and a log with one entry, over HTTP."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import struct
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from lakewarden.gate.attestation.canonical import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator

ISSUER = "https://ci.example.com"
SUBJECT = "https://ci.example.com/acme/churn/.ci/release.yml@refs/heads/release"
_SCTS = ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_ISSUER = ObjectIdentifier("1.3.6.1.4.1.57264.1.1")
_LEAF_USAGE = (True, *(False,) * 8)
_CA_USAGE = (False, False, False, False, False, True, True, False, False)


def token(subject: str = SUBJECT, issuer: str = ISSUER, audience: str = "sigstore", lives: int = 300) -> str:
    now = int(time.time())
    claims = {"iss": issuer, "sub": subject, "aud": audience, "iat": now, "exp": now + lives}
    return jwt.encode(claims, "the test's own key, long enough!", algorithm="HS256")


def _b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _spki(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _usage(bits: tuple[bool, ...]) -> x509.KeyUsage:
    return x509.KeyUsage(*bits)


class Instance:
    """The keys of an instance. `refuse` names the service that says no."""

    def __init__(self) -> None:
        self.ca, self.certificates, self.log = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
        self.refuse = ""
        self.url = ""
        self.seen: list[str] = []
        now = dt.datetime.now(dt.timezone.utc)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority")])
        self.root = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.ca.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(_CA_USAGE), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.ca.public_key()), critical=False)
            .sign(self.ca, SHA256())
        )

    def certify(self, request: bytes, raw_token: str) -> list[str]:
        claims = jwt.decode(raw_token, options={"verify_signature": False})
        now = dt.datetime.now(dt.timezone.utc).replace(microsecond=0)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(self.root.subject)
            .public_key(x509.load_pem_x509_csr(request).public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(seconds=5))
            .not_valid_after(now + dt.timedelta(minutes=10))
            .add_extension(_usage(_LEAF_USAGE), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.ca.public_key()), critical=False)
            .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(claims["sub"])]), critical=True)
            .add_extension(x509.UnrecognizedExtension(_ISSUER, claims["iss"].encode()), critical=False)
        )
        body = builder.sign(self.ca, SHA256()).tbs_certificate_bytes
        leaf = builder.add_extension(x509.UnrecognizedExtension(_SCTS, self._timestamp(body)), critical=False).sign(
            self.ca, SHA256()
        )
        return [each.public_bytes(Encoding.PEM).decode() for each in (leaf, self.root)]

    def _timestamp(self, body: bytes) -> bytes:
        """A list of one signed certificate timestamp (RFC 6962) in its DER wrapping."""
        when = int(time.time()) * 1000
        entry = hashlib.sha256(_spki(self.ca)).digest() + struct.pack("!I", len(body))[1:] + body
        signature = self.certificates.sign(struct.pack("!BBQH", 0, 0, when, 1) + entry + b"\0\0", ec.ECDSA(SHA256()))
        log_id = hashlib.sha256(_spki(self.certificates)).digest()
        one = struct.pack("!B32sQHBBH", 0, log_id, when, 0, 4, 3, len(signature)) + signature
        listed = struct.pack("!HH", len(one) + 2, len(one)) + one
        return bytes([4, len(listed)]) + listed if len(listed) < 128 else bytes([4, 0x81, len(listed)]) + listed

    def record(self, proposed: dict[str, Any]) -> dict[str, Any]:
        content = proposed["spec"]["proposedContent"]
        envelope = json.loads(content["envelope"])
        (verifier,) = content["verifiers"]
        self.seen.append(base64.b64decode(envelope["payload"]).decode())
        sha256 = {"algorithm": "sha256"}
        body = canonical(
            {
                "apiVersion": "0.0.1",
                "kind": "dsse",
                "spec": {
                    "envelopeHash": {**sha256, "value": hashlib.sha256(content["envelope"].encode()).hexdigest()},
                    "payloadHash": {**sha256, "value": hashlib.sha256(base64.b64decode(envelope["payload"])).hexdigest()},
                    "signatures": [{"signature": each["sig"], "verifier": verifier} for each in envelope["signatures"]],
                },
            }
        )
        log_id = hashlib.sha256(_spki(self.log)).digest()
        root = hashlib.sha256(b"\0" + body).digest()
        note = f"127.0.0.1 - 1\n1\n{_b64(root)}\n"
        signed = _b64(log_id[:4] + self.log.sign(note.encode(), ec.ECDSA(SHA256())))
        entry = {"body": _b64(body), "integratedTime": int(time.time()), "logID": log_id.hex(), "logIndex": 0}
        promise = _b64(self.log.sign(canonical(entry), ec.ECDSA(SHA256())))
        proof = {"hashes": [], "logIndex": 0, "rootHash": root.hex(), "treeSize": 1}
        checkpoint = f"{note}\n\u2014 127.0.0.1 {signed}\n"
        return {
            "00": {
                **entry,
                "verification": {"inclusionProof": {**proof, "checkpoint": checkpoint}, "signedEntryTimestamp": promise},
            }
        }

    def config(self, url: str | None = None) -> dict[str, Any]:
        """The client trust config that its users are given."""
        valid = {"start": "2020-01-01T00:00:00Z"}

        def log(key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
            public = {"rawBytes": _b64(_spki(key)), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": valid}
            log_id = {"keyId": _b64(hashlib.sha256(_spki(key)).digest())}
            return {"baseUrl": self.url, "hashAlgorithm": "SHA2_256", "publicKey": public, "logId": log_id}

        service = [{"url": url or self.url, "majorApiVersion": 1, "validFor": valid, "operator": "us"}]
        authority = {
            "subject": {"organization": "us", "commonName": "an authority"},
            "uri": self.url,
            "certChain": {"certificates": [{"rawBytes": _b64(self.root.public_bytes(Encoding.DER))}]},
            "validFor": valid,
        }
        return {
            "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
            "trustedRoot": {
                "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
                "tlogs": [log(self.log)],
                "certificateAuthorities": [authority],
                "ctlogs": [log(self.certificates)],
                "timestampAuthorities": [],
            },
            "signingConfig": {
                "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
                "caUrls": service,
                "oidcUrls": service,
                "rekorTlogUrls": service,
                "rekorTlogConfig": {"selector": "ANY"},
                "tsaUrls": [],
                "tsaConfig": {"selector": "ANY"},
            },
        }


@contextmanager
def served() -> Iterator[Instance]:
    instance = Instance()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            service = "authority" if self.path.endswith("/signingCert") else "log"
            if instance.refuse == service:
                return self._answer(403, {"message": "no"})
            if service == "log":
                return self._answer(201, instance.record(asked))
            bearer = self.headers["Authorization"].removeprefix("Bearer ")
            chain = instance.certify(base64.b64decode(asked["certificateSigningRequest"]), bearer)
            return self._answer(201, {"signedCertificateEmbeddedSct": {"chain": {"certificates": chain}}})

        def _answer(self, code: int, body: dict[str, Any]) -> None:
            content = json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    instance.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield instance
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
