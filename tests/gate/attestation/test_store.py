from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest
from tests.gate.attestation.given import envelope, payload, result, with_check, write_key

from lakewarden.errors import SigningError, UsageError
from lakewarden.gate.attestation.sign import Sealer, sealer
from lakewarden.gate.attestation.store import store
from lakewarden.gate.result import Outcome

if TYPE_CHECKING:
    from pathlib import Path


def test_three_files_with_their_digests_the_summary_naming_the_evidence(tmp_path: Path) -> None:
    stored = store(result(), tmp_path / "new" / "folder")
    assert {kind: path.name for kind, path in stored.paths.items()} == {
        "evidence": "prod.churn.model-7.evidence.json",
        "svr": "prod.churn.model-7.svr.dsse.json",
        "vsa": "prod.churn.model-7.vsa.dsse.json",
    }
    for kind, path in stored.paths.items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == stored.digests[kind]
    (evidence,) = payload(stored.paths["vsa"])["predicate"]["inputAttestations"]
    assert evidence == {"uri": "prod.churn.model-7.evidence.json", "digest": {"sha256": stored.digests["evidence"]}}
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == sorted(
        path.name for path in stored.paths.values()
    )


def test_unsigned_means_no_signatures_and_signed_one(tmp_path: Path) -> None:
    assert envelope(store(result(), tmp_path).paths["vsa"])["signatures"] == []
    private, _ = write_key(tmp_path, "key")
    signed = store(result(), tmp_path, sealer(f"key:{private}"))
    for kind in ("svr", "vsa"):
        (signature,) = envelope(signed.paths[kind])["signatures"]
        assert signature["keyid"]
        assert envelope(signed.paths[kind])["payloadType"] == "application/vnd.in-toto+json"


def test_what_was_decided_before_is_kept(tmp_path: Path) -> None:
    first = store(result(), tmp_path)
    before = {kind: path.read_bytes() for kind, path in first.paths.items()}
    assert store(result(), tmp_path) == first
    assert len(list(tmp_path.iterdir())) == 3
    second = store(with_check(result(), 7, Outcome.FAIL), tmp_path)
    assert payload(second.paths["vsa"])["predicate"]["verificationResult"] == "FAILED"
    kept = tmp_path / f"prod.churn.model-7.vsa.dsse.{first.digests['vsa'][:16]}.json"
    assert kept.read_bytes() == before["vsa"]
    assert len(list(tmp_path.iterdir())) == 6


@pytest.mark.parametrize("model", ["../../etc/x", "a/b", "..", "c:\\x", "a b"])
def test_the_name_of_a_model_leads_nowhere_else(tmp_path: Path, model: str) -> None:
    folder = tmp_path / "inner"
    stored = store(result(model=model), folder)
    assert {path.parent for path in stored.paths.values()} == {folder}
    assert len(list(folder.iterdir())) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["inner"]


def test_nothing_is_written_where_signing_fails(tmp_path: Path) -> None:
    def seal(_: bytes) -> bytes:
        raise SigningError("the service went away")

    with pytest.raises(SigningError):
        store(result(), tmp_path / "a", Sealer(seal))
    with pytest.raises(UsageError):
        store(result(digest=None), tmp_path / "a")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SigningError, match="cannot store") as caught:
        store(result(), tmp_path / "file" / "x")
    assert caught.value.exit_code == 3
    blocked = tmp_path / "blocked"
    (blocked / "prod.churn.model-7.vsa.dsse.json").mkdir(parents=True)
    with pytest.raises(SigningError, match="cannot store"):
        store(result(), blocked)
    assert not [path for path in blocked.iterdir() if path.name.startswith(".")]


def test_files_are_readable_by_those_who_verify(tmp_path: Path) -> None:
    for path in store(result(), tmp_path).paths.values():
        assert os.stat(path).st_mode & 0o777 == 0o644  # noqa: PTH116
