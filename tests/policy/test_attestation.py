"""What a policy says of attestations: files relative to it, and what may not be loosened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lakewarden.errors import PolicyError
from lakewarden.policy.load import load

if TYPE_CHECKING:
    from pathlib import Path

KEY = 'trusted = [{ key = "a.pem" }]'
DIGESTS = [f"{n}{n}" * 32 for n in range(3)]


def written(root: Path, name: str, text: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_files_are_relative_to_the_policy_file(tmp_path: Path) -> None:
    text = """
gate = { attestations = "out", sigstore = "../trust.json" }
[[projects]]
name = "churn"
gate = { attestations = "churn", sigstore = "public", allow_public_log = true }
[attestation]
trusted = [{ key = "keys/a.pem" }, { issuer = "i", subject = "s", sigstore = "trust.json" }, { key = "/etc/b.pem" }]
"""
    policy = load(written(tmp_path, "ml/lakewarden.toml", text), root=tmp_path)
    assert (policy.gate.attestations, policy.gate.sigstore) == ("ml/out", "trust.json")
    (project,) = policy.projects
    assert (project.gate.attestations, project.gate.sigstore, project.gate.allow_public_log) == ("ml/churn", "public", True)
    assert [signer.key for signer in policy.attestation.trusted] == ["ml/keys/a.pem", None, "/etc/b.pem"]
    assert policy.attestation.trusted[1].sigstore == "ml/trust.json"


@pytest.mark.parametrize(
    ("below", "above", "loosens"),
    [
        (KEY, KEY, False),
        (KEY, "trusted = []", False),
        (KEY, 'trusted = [{ key = "b.pem" }]', True),
        (KEY, 'trusted = [{ key = "a.pem" }, { key = "b.pem" }]', True),
        ("accept = []", 'accept = ["C14"]', True),
        ('accept = ["C14", "rollback"]', 'accept = ["rollback"]', False),
        (f"policies = {DIGESTS[:2]}", f"policies = {DIGESTS[:1]}", False),
        (f"policies = {DIGESTS[:1]}", f"policies = {DIGESTS}", True),
        (f"policies = {DIGESTS}", "policies = []", True),
        ("", f"policies = {DIGESTS}", False),
        ("max_age_days = 7", "max_age_days = 3", False),
        ("max_age_days = 7", "max_age_days = 30", True),
    ],
)
def test_what_is_locked_is_not_loosened(tmp_path: Path, below: str, above: str, loosens: bool) -> None:
    written(tmp_path, "base.toml", f'lock = ["attestation"]\n[attestation]\n{below}\n')
    path = written(tmp_path, "lakewarden.toml", f'extend = "base.toml"\n[attestation]\n{above}\n')
    if loosens:
        with pytest.raises(PolicyError, match="loosens"):
            load(path)
    else:
        load(path)


def test_the_public_log_cannot_be_allowed_over_a_lock(tmp_path: Path) -> None:
    written(tmp_path, "base.toml", 'lock = ["gate.allow_public_log"]\n')
    with pytest.raises(PolicyError, match="loosens"):
        load(written(tmp_path, "lakewarden.toml", 'extend = "base.toml"\ngate = { allow_public_log = true }\n'))
