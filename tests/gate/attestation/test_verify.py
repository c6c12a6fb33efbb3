"""Every way to have a version accepted that was not attested, with real keys."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gate.attestation.given import DIGEST, POLICY, URI, base64_of, envelope, payload, result, with_check, write_key

from lakewarden.gate.attestation import dsse
from lakewarden.gate.attestation.canonical import canonical
from lakewarden.gate.attestation.sign import sealer
from lakewarden.gate.attestation.statement import PAYLOAD
from lakewarden.gate.attestation.store import store
from lakewarden.gate.attestation.trust import Trust, trust_of
from lakewarden.gate.attestation.verify import Answer, Verified, Wanted, is_named, verify
from lakewarden.gate.result import LEVELS, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lakewarden.gate.attestation.store import Stored
    from lakewarden.gate.result import GateResult

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.timezone.utc)
WANTED = Wanted(model="models:/prod.churn.model/7", digest=DIGEST, policies=frozenset({POLICY}), level="lineage")


class Gate:
    """A gate with its key, and one whose key nobody trusts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.private, self.public = write_key(folder, "gate")
        self.foreign, self.foreign_public = write_key(folder, "foreign")
        self.trust = trust_of([self.public])

    def store(self, asked: GateResult | None = None, key: Path | None = None) -> Stored:
        return store(asked or result(), self.folder / "stored", sealer(f"key:{key or self.private}"))

    def content(self, asked: GateResult | None = None, kind: str = "vsa", key: Path | None = None) -> bytes:
        return self.store(asked, key).paths[kind].read_bytes()

    def sealed(self, change: Callable[[dict[str, Any]], Any], kind: str = "vsa", key: Path | None = None) -> bytes:
        """An attestation whose statement was changed before it was signed."""
        statement = payload(self.store().paths[kind])
        changed = change(statement)
        return sealer(f"key:{key or self.private}").seal(canonical(statement if changed is None else changed))


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


def asked(content: bytes, trust: Trust, now: dt.datetime = NOW, **wanted: Any) -> Verified:
    given: dict[str, Any] = {**vars(WANTED), **wanted}
    return verify(content, trust, Wanted(**given), now)


def refused(found: Verified, step: str, told: str = "") -> bool:
    last = found.steps[-1]
    assert (last.name, last.answer) == (step, Answer.REFUSED), found.steps
    assert told in last.told, last.told
    assert found.exit_code == 1
    return True


@pytest.mark.parametrize("kind", ["svr", "vsa"])
def test_what_a_gate_passed_is_verified(gate: Gate, kind: str) -> None:
    found = asked(gate.content(kind=kind), gate.trust)
    assert found.exit_code == 0, found.steps
    assert [step.name for step in found.steps] == [
        "file",
        "signature",
        "type",
        "subject",
        "bytes",
        "policy",
        "evidence",
        "decision",
        "time",
    ]
    assert found.statement is not None


def test_the_name_the_digest_and_the_files_must_be_those_attested(gate: Gate) -> None:
    stored = gate.store()
    content = stored.paths["vsa"].read_bytes()
    assert (
        asked(content, gate.trust, file_sha256=stored.digests["vsa"], evidence_sha256=stored.digests["evidence"]).exit_code == 0
    )
    assert refused(asked(content, gate.trust, file_sha256=stored.digests["svr"]), "file")
    assert refused(asked(content, gate.trust, evidence_sha256="00" * 32), "evidence")
    assert refused(asked(stored.paths["svr"].read_bytes(), gate.trust, evidence_sha256=stored.digests["evidence"]), "evidence")
    for model in (
        "models:/prod.churn.model/8",
        "models:/prod.churn.other/7",
        "models:/dev.churn.model/7",
        URI + "0",
        URI[:-1] + "8",
    ):
        assert refused(asked(content, gate.trust, model=model), "subject", model)
    assert refused(asked(content, gate.trust, digest="00" * 32), "bytes")
    assert refused(asked(content, gate.trust, policies=frozenset({"00" * 32})), "policy")


def test_without_a_version_to_compare_it_is_not_verified(gate: Gate) -> None:
    found = asked(gate.content(), gate.trust, model=None, digest=None)
    assert found.exit_code == 3
    assert asked(gate.content(), gate.trust, model=None).exit_code == 0
    assert asked(gate.content(), gate.trust, digest=None).exit_code == 0


def test_a_statement_that_was_changed_after_it_was_signed(gate: Gate) -> None:
    path = gate.store().paths["vsa"]
    found = envelope(path)
    for old, new in (("versions/7", "versions/8"), (DIGEST, "00" * 32), ("PASSED", "FAILED"), ("2026-03-01", "2026-03-02")):
        text = base64.b64decode(found["payload"]).decode()
        assert old in text
        forged = {**found, "payload": base64_of(text.replace(old, new).encode())}
        assert refused(asked(json.dumps(forged).encode(), gate.trust), "signature")


def test_signed_again_by_a_key_that_nobody_trusts(gate: Gate) -> None:
    assert refused(asked(gate.content(key=gate.foreign), gate.trust), "signature")
    found = envelope(gate.store(key=gate.foreign).paths["vsa"])
    trusted = envelope(gate.store().paths["vsa"])
    # The id of the key is only a hint: that of a trusted key beside another's signature says nothing.
    found["signatures"][0]["keyid"] = trusted["signatures"][0]["keyid"]
    assert refused(asked(json.dumps(found).encode(), gate.trust), "signature")


def test_a_signature_of_another_statement_by_the_trusted_key(gate: Gate) -> None:
    good = envelope(gate.store().paths["vsa"])
    other = envelope(gate.store(result(digest="00" * 32)).paths["vsa"])
    assert refused(asked(json.dumps({**other, "signatures": good["signatures"]}).encode(), gate.trust), "signature")
    svr = envelope(gate.store().paths["svr"])
    assert refused(asked(json.dumps({**svr, "signatures": good["signatures"]}).encode(), gate.trust), "signature")


def test_a_second_signature_by_somebody_else_neither_helps_nor_harms(gate: Gate) -> None:
    stranger = envelope(gate.store(key=gate.foreign).paths["vsa"])
    both = envelope(gate.store().paths["vsa"])
    both["signatures"] = [*stranger["signatures"], *both["signatures"]]
    content = json.dumps(both).encode()
    assert asked(content, gate.trust).exit_code == 0
    assert asked(content, trust_of([gate.foreign_public])).exit_code == 0
    _, third = write_key(gate.folder, "third")
    assert refused(asked(content, trust_of([third])), "signature")


def test_the_ids_of_keys_are_not_needed(gate: Gate) -> None:
    found = envelope(gate.store().paths["vsa"])
    del found["signatures"][0]["keyid"]
    assert asked(json.dumps(found).encode(), gate.trust).exit_code == 0


@pytest.mark.parametrize("signatures", [[], [{"keyid": "x", "sig": ""}], [{"sig": "AAAA"}], [{"sig": base64_of(bytes(64))}]])
def test_without_a_signature_that_is_one(gate: Gate, signatures: list[Any]) -> None:
    found = {**envelope(gate.store().paths["vsa"]), "signatures": signatures}
    assert refused(asked(json.dumps(found).encode(), gate.trust), "signature")


def test_unsigned_is_read_only_where_that_is_allowed_and_says_so(gate: Gate) -> None:
    content = store(result(), gate.folder).paths["vsa"].read_bytes()
    assert refused(asked(content, gate.trust), "signature", "not signed")
    assert refused(asked(content, Trust()), "signature", "not signed")
    found = asked(content, Trust(), allow_unsigned=True)
    assert found.exit_code == 0
    assert "anybody may have made it" in found.steps[1].told
    failed = store(with_check(result(), 7, Outcome.FAIL), gate.folder).paths["vsa"].read_bytes()
    assert refused(asked(failed, Trust(), allow_unsigned=True), "decision")


def test_signed_where_nobody_is_trusted_is_not_read(gate: Gate) -> None:
    found = asked(gate.content(), Trust())
    assert found.exit_code == 3
    assert found.statement is None
    # whoever trusts somebody is not helped by --allow-unsigned
    assert refused(asked(gate.content(key=gate.foreign), gate.trust, allow_unsigned=True), "signature")


def test_another_type_of_payload(gate: Gate) -> None:
    found = envelope(gate.store().paths["vsa"])
    for kind in ("application/json", PAYLOAD + " ", PAYLOAD.upper(), ""):
        assert refused(asked(json.dumps({**found, "payloadType": kind}).encode(), gate.trust), "signature")
    # a trusted key signed these bytes, as something else
    content = base64.b64decode(found["payload"])
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from securesystemslib.signer import CryptoSigner

    signer = CryptoSigner(load_pem_private_key(gate.private.read_bytes(), None))
    assert refused(asked(dsse.seal(content, "application/json", signer), gate.trust), "type", "no in-toto statement")


def test_type_and_payload_cannot_be_shifted_into_each_other(gate: Gate) -> None:
    """The same bytes after `DSSEv1`, cut elsewhere: the encoding counts lengths, so the signature does not hold."""
    found = envelope(gate.store().paths["vsa"])
    content = base64.b64decode(found["payload"])
    for cut in (1, 5, 30):
        shifted = {
            **found,
            "payloadType": f"{PAYLOAD} {len(content)} {content[:cut].decode()}",
            "payload": base64_of(content[cut:]),
        }
        assert refused(asked(json.dumps(shifted).encode(), gate.trust), "signature")
        encoded = dsse.encoded(content, PAYLOAD)
        assert dsse.encoded(content[cut:], PAYLOAD + content[:cut].decode()) != encoded
    multibyte = dsse.encoded("é".encode(), "é")
    assert multibyte == "DSSEv1 2 é 2 é".encode()


def test_a_key_that_signed_raw_bytes_signed_no_envelope(gate: Gate) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    found = envelope(gate.store().paths["vsa"])
    key = load_pem_private_key(gate.private.read_bytes(), None)
    assert isinstance(key, Ed25519PrivateKey)
    found["signatures"][0]["sig"] = base64_of(key.sign(base64.b64decode(found["payload"])))
    assert refused(asked(json.dumps(found).encode(), gate.trust), "signature")


def test_keys_told_twice_in_envelope_and_statement(gate: Gate) -> None:
    path = gate.store().paths["vsa"]
    text = path.read_text()
    assert refused(asked(text.replace("{", '{"payload":"e30=",', 1).encode(), gate.trust), "signature", "twice")
    inner = base64.b64decode(envelope(path)["payload"]).decode().replace("{", '{"predicateType":"x",', 1)
    assert refused(asked(sealer(f"key:{gate.private}").seal(inner.encode()), gate.trust), "type", "twice")


def test_a_huge_file_is_not_parsed(gate: Gate) -> None:
    found = envelope(gate.store().paths["vsa"])
    assert refused(asked(json.dumps({**found, "x": "y" * dsse.LARGEST}).encode(), gate.trust), "signature", "larger")
    many = {**found, "signatures": found["signatures"] * 17}
    assert refused(asked(json.dumps(many).encode(), gate.trust), "signature", "more than 16")


def test_a_version_that_was_refused(gate: Gate) -> None:
    for outcome in (Outcome.FAIL, Outcome.MISSING):
        assert refused(asked(gate.content(with_check(result(), 7, outcome)), gate.trust), "decision", "FAILED")
        assert refused(asked(gate.content(with_check(result(), 7, outcome), "svr"), gate.trust), "decision", "no level")


def test_a_version_that_broke_the_glass(gate: Gate) -> None:
    assert refused(asked(gate.content(result(kind="break-glass")), gate.trust), "decision", "FAILED")
    assert refused(asked(gate.content(result(kind="break-glass"), "svr"), gate.trust), "decision", "glass")


@pytest.mark.parametrize("kind", ["svr", "vsa"])
def test_a_lower_level_is_refused_and_a_higher_one_is_not(gate: Gate, kind: str) -> None:
    assert refused(asked(gate.content(result(level="identity"), kind), gate.trust), "decision", "reaches identity, not lineage")
    assert refused(asked(gate.content(kind=kind), gate.trust, level="approved"), "decision")
    assert asked(gate.content(kind=kind), gate.trust, level="identity").exit_code == 0


@pytest.mark.parametrize("kind", ["rollback", "adoption"])
def test_what_is_no_promotion_is_accepted_only_by_name(gate: Gate, kind: str) -> None:
    for name in ("svr", "vsa"):
        content = gate.content(result(kind=kind), name)
        assert refused(asked(content, gate.trust), "decision", kind)
        assert refused(asked(content, gate.trust, accept=frozenset({"C14"})), "decision", kind)
        assert asked(content, gate.trust, accept=frozenset({kind}), level=None).exit_code == 0
        # An adoption asked for no level, and no acceptance of it makes it one.
        for level in LEVELS:
            assert refused(asked(content, gate.trust, accept=frozenset({kind}), level=level), "decision", "reaches no level")


@pytest.mark.parametrize("kind", ["svr", "vsa"])
def test_a_waiver_is_accepted_only_by_name(gate: Gate, kind: str) -> None:
    content = gate.content(with_check(result(), 6, Outcome.WAIVED), kind)
    assert refused(asked(content, gate.trust), "decision", "C6 was waived")
    assert refused(asked(content, gate.trust, accept=frozenset({"C14"})), "decision")
    assert asked(content, gate.trust, accept=frozenset({"C6"})).exit_code == 0


def test_a_property_that_is_wanted_must_be_told(gate: Gate) -> None:
    found = gate.content(kind="svr")
    assert asked(found, gate.trust, properties=("LAKEWARDEN_C07_ON_RELEASE",)).exit_code == 0
    assert refused(asked(found, gate.trust, properties=("LAKEWARDEN_C14_VALIDATED",)), "decision")
    assert refused(asked(gate.content(), gate.trust, properties=("LAKEWARDEN_C07_ON_RELEASE",)), "decision", "*.svr.*")


def test_times(gate: Gate) -> None:
    content = gate.content()
    assert asked(content, gate.trust, max_age=dt.timedelta(days=1)).exit_code == 0
    assert refused(asked(content, gate.trust, max_age=dt.timedelta(hours=23)), "time", "days ago")
    assert refused(asked(content, gate.trust, not_before=NOW), "time", "before")
    assert refused(asked(content, gate.trust, NOW - dt.timedelta(days=2)), "time", "future")
    assert refused(asked(gate.content(result(finished="2026-03-01T12:00:00")), gate.trust), "time", "when")


def change_of(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(statement: dict[str, Any]) -> None:
        *above, last = path.split(".")
        at: Any = statement
        for key in above:
            at = at[int(key)] if isinstance(at, list) else at[key]
        if value is None:
            del at[last]
        else:
            at[int(last) if isinstance(at, list) else last] = value

    return change


@pytest.mark.parametrize(
    ("path", "value", "step"),
    [
        ("_type", "https://in-toto.io/Statement/v0.1", "type"),
        ("_type", None, "type"),
        ("predicateType", "https://slsa.dev/provenance/v1", "type"),
        ("predicateType", "https://in-toto.io/attestation/svr/v0.2", "policy"),
        ("predicate", [], "type"),
        ("predicate.verifier.id", "urn:somebody", "type"),
        ("subject", [], "subject"),
        ("subject", [{"name": URI, "digest": {"sha256": DIGEST}}] * 2, "subject"),
        ("subject.0.digest", {"sha256": DIGEST, "sha1": "x"}, "subject"),
        ("subject.0.digest", {}, "subject"),
        ("subject.0.digest.sha256", DIGEST.upper(), "subject"),
        ("subject.0.name", 7, "subject"),
        ("predicate.resourceUri", URI[:-1] + "8", "subject"),
        ("predicate.policy", None, "policy"),
        ("predicate.policy", {"digest": {"sha512": POLICY}}, "policy"),
        ("predicate.verificationResult", "passed", "decision"),
        ("predicate.verificationResult", None, "decision"),
        ("predicate.verifiedLevels", [], "decision"),
        ("predicate.verifiedLevels", None, "decision"),
        ("predicate.verifiedLevels", "LAKEWARDEN_GATE_LINEAGE", "decision"),
        ("predicate.verifiedLevels", ["SLSA_BUILD_LEVEL_3"], "decision"),
        ("predicate.verifiedLevels", ["LAKEWARDEN_GATE_LINEAGE", "FAILED"], "decision"),
        ("predicate.verifiedLevels", ["LAKEWARDEN_GATE_LINEAGE", "LAKEWARDEN_GATE_APPROVED"], "decision"),
        ("predicate.verifiedLevels", ["LAKEWARDEN_GATE_LINEAGE", "LAKEWARDEN_C05_WAIVED"], "decision"),
        ("predicate.timeVerified", None, "time"),
        ("predicate.timeVerified", 5, "time"),
    ],
)
def test_a_trusted_signer_who_says_something_else(gate: Gate, path: str, value: Any, step: str) -> None:
    accept = frozenset({"C5"})
    assert refused(asked(gate.sealed(change_of(path, value)), gate.trust, accept=accept), step)


@pytest.mark.parametrize(
    "content", [b"", b"null", b"[]", b"{}", b"\xff", b'{"payload":1,"payloadType":"x","signatures":[]}', b"[" * 9999]
)
def test_what_is_no_envelope(gate: Gate, content: bytes) -> None:
    assert refused(asked(content, gate.trust), "signature")


def test_payloads_that_are_no_statements_of_a_trusted_key(gate: Gate) -> None:
    for content in (b"", b"null", b"[1]", b'"x"', b"{}", b"\xff\xfe", b"[" * 9999, b'{"_type":NaN}'):
        assert refused(asked(sealer(f"key:{gate.private}").seal(content), gate.trust), "type")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_changed_byte_is_believed(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    gate = shared(tmp_path_factory)
    content = bytearray(gate.good)
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] = data.draw(st.integers(0, 255).filter(lambda byte: byte != gate.good[at]))
    found = asked(bytes(content), gate.trust)
    if found.exit_code == 0:  # only where the change is none: white space, the hint of the key's id
        assert dsse.opened(bytes(content)).payload == dsse.opened(gate.good).payload
        assert dsse.opened(bytes(content)).payload_type == PAYLOAD


class Shared(Gate):
    good: bytes


_SHARED: list[Shared] = []


def shared(factory: pytest.TempPathFactory) -> Shared:
    if not _SHARED:
        made = Shared(factory.mktemp("shared"))
        made.good = made.content()
        _SHARED.append(made)
    return _SHARED[0]


@pytest.mark.parametrize(
    ("name", "wanted", "same"),
    [
        (URI, URI, True),
        (URI, "models:/prod.churn.model/7", True),
        (URI, "prod.churn.model/7", True),
        (URI, "prod.churn.model/07", False),
        (URI, "model/7", False),
        (URI, "churn.model/7", False),
        (URI, "models:/prod.churn.model@champion", False),
        (URI, "7", False),
        (URI, "", False),
        (URI, "databricks-uc://other/prod.churn.model/versions/7", False),
        ("mlflow+http://127.0.0.1:5000/chu%72n/versions/3", "models:/chu%72n/3", True),
        # A model may be called so, and is another one.
        ("mlflow+http://127.0.0.1:5000/chu%72n/versions/3", "models:/churn/3", False),
        ("mlflow+http://127.0.0.1:5000/churn/versions/3", "models:/chu%72n/3", False),
        ("mlflow://127.0.0.1:5000/churn/versions/3", "models:/churn/3", True),
        ("mlflow://127.0.0.1:5000/churn", "models:/churn/3", False),
    ],
)
def test_names(name: str, wanted: str, same: bool) -> None:
    assert is_named(name, wanted) is same


def test_digests_may_be_written_in_capitals(gate: Gate) -> None:
    stored = gate.store()
    content = stored.paths["vsa"].read_bytes()
    assert (
        asked(content, gate.trust, digest=DIGEST.upper(), file_sha256=hashlib.sha256(content).hexdigest().upper()).exit_code == 0
    )
