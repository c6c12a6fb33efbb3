"""Results of gates, keys, and what attackers make of attestations."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from lakewarden.gate.result import CheckResult, Evidence, GateResult, Link, Outcome, Said
from lakewarden.judge.result import Waiver

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DIGEST = "5a" * 32
POLICY = "b0" * 32
URI = "databricks-uc://7d1f0a6e-0000-4000-8000-000000000001/prod.churn.model/versions/7"
FINISHED = "2026-03-01T12:00:00Z"

NAMES = {
    1: ("REQUEST", "identity"),
    2: ("IDENTITY_PINNED", "identity"),
    3: ("PLACE", "identity"),
    4: ("TRAINED_IN_PRODUCTION", "identity"),
    5: ("OWN_BYTES", "identity"),
    6: ("COMMIT", "lineage"),
    7: ("ON_RELEASE", "lineage"),
    10: ("DEPLOYED_JOB", "lineage"),
    14: ("VALIDATED", "validated"),
    19: ("UNCHANGED", "identity"),
    20: ("RECORDED", "identity"),
}


def check(number: int, outcome: Outcome = Outcome.PASS, *, required: bool = True) -> CheckResult:
    name, level = NAMES[number]
    said = Said(f"GATE{number:03}", "a-rule", 1, outcome.value, "candidates", "key", f"check {number} says {outcome.value}")
    evidence = Evidence("status", "READY", "https://adb-1.azuredatabricks.net/api/2.1/…", "2026-03-01T11:59:00Z")
    waiver = Waiver("policy", "until the next training", "2026-04-01", "team", "ML-1") if outcome is Outcome.WAIVED else None
    return CheckResult(number, name, name.lower(), level, required, outcome, (said,), (evidence,), "", waiver)  # type: ignore[arg-type]


def result(**changed: Any) -> GateResult:
    """A promotion that asks for lineage and gets it; C14 is judged and not demanded, C20 is yet to come."""
    checks = tuple(check(number) for number in NAMES if number not in {14, 20})
    asked = GateResult(
        version="0.4.0",
        kind="promotion",
        asked="models:/prod.churn.model@challenger",
        registry="unity_catalog",
        model="prod.churn.model",
        number="7",
        uri=URI,
        digest=DIGEST,
        stage="production",
        environment="production",
        place="ci",
        level="lineage",
        reached="lineage",
        project="churn",
        policy_path="lakewarden.toml",
        policy_digest=POLICY,
        checks=(*checks, check(14, required=False), check(20, Outcome.MISSING)),
        chain=(Link("alias", "challenger", "https://adb-1"), Link("version", "7"), Link("commit", "c" * 40, "git-snapshot")),
        exit_code=0,
        begun="2026-03-01T11:58:00Z",
        finished=FINISHED,
        requests=17,
        rows=(("model_versions", {"key": "m/prod.churn.model/7", "status": "READY", "run_id": "8f" * 16, "gap": None}),),
    )
    return replace(asked, **changed)


def with_check(asked: GateResult, number: int, outcome: Outcome, *, required: bool = True) -> GateResult:
    """The result with another outcome of one check; the exit code follows."""
    checks = tuple(check(number, outcome, required=required) if each.number == number else each for each in asked.checks)
    codes = {Outcome.FAIL: 1, Outcome.MISSING: 3}
    code = codes.get(outcome, asked.exit_code) if required and number != 20 else asked.exit_code
    return replace(asked, checks=checks, exit_code=code)


PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

KINDS: dict[str, Callable[[], PrivateKey]] = {
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "rsa": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
}


def write_key(folder: Path, name: str, kind: str = "ed25519", passphrase: str | None = None) -> tuple[Path, Path]:
    """A new key pair in two files: the private one, the public one."""
    key = KINDS[kind]()
    private, public = folder / f"{name}.pem", folder / f"{name}.pub.pem"
    locked = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


def envelope(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def payload(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.b64decode(envelope(path)["payload"]))
    return found


def base64_of(content: bytes) -> str:
    return base64.b64encode(content).decode()
