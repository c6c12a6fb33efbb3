"""Real keys, and a key management service that answers as that of AWS does."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils, x25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from tests.gate.attestation.given import KINDS, write_key

from lakewarden.errors import SigningError, UsageError
from lakewarden.gate.attestation.dsse import opened, signed_by
from lakewarden.gate.attestation.sign import PASSPHRASE, sealer
from lakewarden.gate.attestation.trust import public_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_key_signs_what_its_public_half_verifies(tmp_path: Path, kind: str) -> None:
    private, public = write_key(tmp_path, "key", kind)
    _, other = write_key(tmp_path, "other", kind)
    sealed = opened(sealer(f"key:{private}").seal(b"{}"))
    assert signed_by(sealed, (public_key(other), public_key(public))) == public_key(public)
    assert signed_by(sealed, (public_key(other),)) is None


def test_an_ed25519_signature_is_over_the_encoding_that_dsse_defines(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    private, public = write_key(tmp_path, "key")
    found = json.loads(sealer(f"key:{private}").seal(b'{"a":1}'))
    encoded = b'DSSEv1 28 application/vnd.in-toto+json 7 {"a":1}'
    load_pem_public_key(public.read_bytes()).verify(base64.b64decode(found["signatures"][0]["sig"]), encoded)  # type: ignore[union-attr,call-arg]


def test_a_passphrase_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private, public = write_key(tmp_path, "key", passphrase="open sesame")  # noqa: S106
    with pytest.raises(UsageError, match="is encrypted") as caught:
        sealer(f"key:{private}")
    assert PASSPHRASE in caught.value.advice
    monkeypatch.setenv(PASSPHRASE, "wrong word")
    with pytest.raises(UsageError, match="no private key that can be read") as caught:
        sealer(f"key:{private}")
    assert "wrong word" not in str(caught.value)
    monkeypatch.setenv(PASSPHRASE, "open sesame")
    assert signed_by(opened(sealer(f"key:{private}").seal(b"{}")), (public_key(public),)) is not None
    plain, _ = write_key(tmp_path, "plain")
    with pytest.raises(UsageError, match="has no passphrase"):
        sealer(f"key:{plain}")


def test_keys_that_cannot_be_used_are_told_without_a_part_of_them(tmp_path: Path) -> None:
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505
    files = {
        "weak.pem": weak.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        "x.pem": x25519.X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        "k1.pem": ec.generate_private_key(ec.SECP256K1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        "public.pem": weak.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "text.pem": b"hunter2",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UsageError) as caught:
            sealer(f"key:{tmp_path / name}")
        assert "hunter2" not in f"{caught.value.message}{caught.value.advice}"
    with pytest.raises(UsageError, match="too weak"):
        public_key(tmp_path / "public.pem")
    for name in ("absent.pem", "text.pem"):
        with pytest.raises(UsageError):
            public_key(tmp_path / name)
    with pytest.raises(UsageError, match="cannot read the key"):
        sealer(f"key:{tmp_path / 'absent.pem'}")


@pytest.mark.parametrize("spec", ["", "key:", "cosign.key", "file2:/x", "gpg:1", "azurekms:vault", "hsm:one"])
def test_what_names_no_signer_is_refused(spec: str) -> None:
    with pytest.raises(UsageError):
        sealer(spec)


@pytest.mark.parametrize(
    ("spec", "extra"), [("gcpkms:projects/p/k", "gcpkms"), ("azurekms:vault/key", "azurekms"), ("hsm:", "hsm")]
)
def test_a_driver_that_is_not_installed_is_told_with_the_line_that_installs_it(spec: str, extra: str) -> None:
    with pytest.raises(UsageError, match="driver that is not installed") as caught:
        sealer(spec)
    assert caught.value.advice == f"run: pip install 'securesystemslib[{extra}]'"
    assert caught.value.exit_code == 2


class Service(BaseHTTPRequestHandler):
    """Holds a key of P-256 and signs digests with it; told to, it refuses."""

    key = ec.generate_private_key(ec.SECP256R1())
    refuse = False

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        operation = self.headers["X-Amz-Target"].partition(".")[2]
        if self.refuse and operation == "Sign":
            self._answer(400, {"__type": "AccessDeniedException", "message": "no kms:Sign for token=hunter2hunter2"})
        elif operation == "GetPublicKey":
            der = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            algorithms = {"SigningAlgorithms": ["ECDSA_SHA_256"], "KeyUsage": "SIGN_VERIFY"}
            self._answer(200, {"KeyId": asked["KeyId"], "PublicKey": base64.b64encode(der).decode(), **algorithms})
        else:
            message = base64.b64decode(asked["Message"])
            digest = message if asked["MessageType"] == "DIGEST" else hashlib.sha256(message).digest()
            signature = self.key.sign(digest, ec.ECDSA(utils.Prehashed(SHA256())))
            self._answer(200, {"KeyId": asked["KeyId"], "Signature": base64.b64encode(signature).decode()})

    def _answer(self, code: int, body: dict[str, object]) -> None:
        content = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Service]]:
    pytest.importorskip("boto3")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    settings = {
        "AWS_ENDPOINT_URL_KMS": f"http://127.0.0.1:{server.server_port}",
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    yield Service
    Service.refuse = False
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning:botocore.*")
def test_a_key_of_a_service_signs_and_never_leaves_it(service: type[Service], tmp_path: Path) -> None:
    public = tmp_path / "kms.pem"
    public.write_bytes(service.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    found = sealer("awskms:alias/gate")
    assert signed_by(opened(found.seal(b"{}")), (public_key(public),)) is not None
    assert found.by.endswith("(awskms)")


@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning:botocore.*")
def test_a_service_that_refuses_or_is_away_is_told_without_secrets(
    service: type[Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    service.refuse = True
    with pytest.raises(SigningError, match="AccessDenied") as caught:
        sealer("awskms:alias/gate").seal(b"{}")
    assert "hunter2" not in str(caught.value)
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", "http://127.0.0.1:9")
    with pytest.raises(SigningError, match="did not sign"):
        sealer("awskms:alias/gate")
