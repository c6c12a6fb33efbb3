"""Signed by a workload identity, through the authority and the log of an instance of one's own."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.gate.attestation.given import payload, result
from tests.gate.attestation.instance import ISSUER, SUBJECT, Instance, served, token
from tests.gate.attestation.test_verify import asked, refused

from lakewarden.errors import SigningError, UsageError
from lakewarden.gate.attestation.sign import sealer, sealer_of
from lakewarden.gate.attestation.store import store
from lakewarden.gate.attestation.trust import Identity, Trust
from lakewarden.policy.model import GatePolicy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# requests leaves its pool of connections to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def instance(monkeypatch: pytest.MonkeyPatch) -> Iterator[Instance]:
    monkeypatch.setenv("SIGSTORE_ID_TOKEN", token())
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with served() as running:
        yield running


def written(folder: Path, config: dict[str, Any], name: str = "trust.json") -> str:
    (folder / name).write_text(json.dumps(config))
    return str(folder / name)


def signed(folder: Path, config: str, kind: str = "vsa") -> bytes:
    path = store(result(), folder, sealer("sigstore:", config)).paths[kind]
    assert path.name == f"prod.churn.model-7.{kind}.sigstore.json"
    return path.read_bytes()


def test_the_identity_that_was_certified_is_verified_and_no_other(tmp_path: Path, instance: Instance) -> None:
    config = written(tmp_path, instance.config())
    for kind in ("svr", "vsa"):
        content = signed(tmp_path, config, kind)
        found = asked(content, Trust(identities=(Identity(ISSUER, SUBJECT, config),)))
        assert found.exit_code == 0, found.steps
        assert SUBJECT in found.steps[1].told
    assert refused(asked(content, Trust(identities=(Identity(ISSUER, SUBJECT.replace("release", "main"), config),))), "signature")
    assert refused(asked(content, Trust(identities=(Identity("https://evil.example.com", SUBJECT, config),))), "signature")
    assert refused(asked(content, Trust(identities=(Identity(ISSUER, SUBJECT[:-1], config),))), "signature")
    root = written(tmp_path, instance.config()["trustedRoot"], "root.json")
    assert asked(content, Trust(identities=(Identity(ISSUER, SUBJECT, root),))).exit_code == 0
    assert len(instance.seen) == 4


def test_another_instance_that_certifies_the_same_identity_is_not_believed(tmp_path: Path, instance: Instance) -> None:
    content = signed(tmp_path, written(tmp_path, instance.config()))
    other = written(tmp_path, Instance().config() | {"signingConfig": instance.config()["signingConfig"]}, "other.json")
    assert refused(asked(content, Trust(identities=(Identity(ISSUER, SUBJECT, other),))), "signature")


def test_a_bundle_that_was_changed(tmp_path: Path, instance: Instance) -> None:
    config = written(tmp_path, instance.config())
    trust = Trust(identities=(Identity(ISSUER, SUBJECT, config),))
    good = json.loads(signed(tmp_path, config))
    inner = base64.b64decode(good["dsseEnvelope"]["payload"])
    forged = base64.b64encode(inner.replace(b"versions/7", b"versions/8")).decode()
    changes: list[dict[str, Any]] = [
        {"dsseEnvelope": {**good["dsseEnvelope"], "payload": forged}},
        {"dsseEnvelope": {**good["dsseEnvelope"], "payloadType": "application/json"}},
        {"dsseEnvelope": {**good["dsseEnvelope"], "signatures": []}},
        {"verificationMaterial": {**good["verificationMaterial"], "tlogEntries": []}},
        {"mediaType": "application/json"},
    ]
    for change in changes:
        assert refused(asked(json.dumps({**good, **change}).encode(), trust), "signature")
    # the envelope alone, without certificate and log, is signed by nobody who is trusted
    assert refused(asked(json.dumps(good["dsseEnvelope"]).encode(), trust), "signature")


def test_the_public_log_is_told_nothing_that_the_policy_does_not_allow(tmp_path: Path, instance: Instance) -> None:
    for name, config in (
        ("public", "public"),
        ("named", written(tmp_path, instance.config("https://rekor.sigstore.dev"))),
        ("stage", written(tmp_path, instance.config("https://fulcio.sigstage.dev"), "stage.json")),
    ):
        with pytest.raises(UsageError, match="publishes the names") as caught:
            sealer("sigstore:", config)
        assert "allow_public_log" in caught.value.advice, name
    with pytest.raises(UsageError, match="names no instance"):
        sealer("sigstore:")
    assert instance.seen == []


@pytest.mark.parametrize("service", ["authority", "log"])
def test_nothing_is_stored_where_a_service_refuses(tmp_path: Path, instance: Instance, service: str) -> None:
    config = written(tmp_path, instance.config())
    instance.refuse = service
    with pytest.raises(SigningError, match="Sigstore did not sign") as caught:
        store(result(), tmp_path / "out", sealer("sigstore:", config))
    assert caught.value.exit_code == 3
    assert not (tmp_path / "out").exists()


def test_an_instance_that_is_away_and_tokens_that_are_none(
    tmp_path: Path, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = written(tmp_path, instance.config("http://127.0.0.1:9"))
    with pytest.raises(SigningError):
        sealer("sigstore:", away).seal(b'{"x":1}')
    config = written(tmp_path, instance.config(), "good.json")
    for raw in (token(lives=-60), token(audience="other"), "not.a.token"):
        monkeypatch.setenv("SIGSTORE_ID_TOKEN", raw)
        with pytest.raises(SigningError) as caught:
            store(result(), tmp_path, sealer("sigstore:", config))
        assert raw not in str(caught.value)


def test_the_policy_names_the_instance_relative_to_itself(tmp_path: Path, instance: Instance) -> None:
    written(tmp_path, instance.config())
    gate = GatePolicy(sigstore="trust.json")
    assert store(result(), tmp_path, sealer_of("sigstore:", gate, tmp_path)).paths["vsa"].name.endswith(".sigstore.json")
    with pytest.raises(UsageError, match="publishes"):
        sealer_of("sigstore:", GatePolicy(sigstore="public"), tmp_path)
    assert sealer_of(None, gate, tmp_path).by == "nobody"


def test_where_there_is_no_identity_nothing_is_signed(
    tmp_path: Path, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SIGSTORE_ID_TOKEN", "GITHUB_ACTIONS", "GITLAB_CI", "CIRCLECI", "BUILDKITE", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UsageError, match="no workload identity"):
        sealer("sigstore:", written(tmp_path, instance.config())).seal(b"{}")


def test_a_config_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    for file in ("x.json", "absent.json"):
        with pytest.raises(UsageError):
            sealer("sigstore:", str(tmp_path / file))


def test_what_is_logged_is_the_statement_and_no_evidence(tmp_path: Path, instance: Instance) -> None:
    stored = store(result(), tmp_path, sealer("sigstore:", written(tmp_path, instance.config())))
    assert sorted(json.loads(each)["predicateType"] for each in instance.seen) == [
        "https://in-toto.io/attestation/svr/v0.2",
        "https://slsa.dev/verification_summary/v1",
    ]
    statement = json.loads(base64.b64decode(json.loads(stored.paths["vsa"].read_bytes())["dsseEnvelope"]["payload"]))
    assert statement["subject"] == payload(store(result(), tmp_path / "plain").paths["vsa"])["subject"]
