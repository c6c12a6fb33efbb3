"""`lakewarden verify` as a consumer runs it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, NamedTuple

import pytest
from tests.gate.attestation.given import POLICY, result, with_check, write_key
from tests.running import Ran, inside, lakewarden, run

from lakewarden.gate.attestation.digest import digest, files_in
from lakewarden.gate.attestation.sign import sealer
from lakewarden.gate.attestation.store import store
from lakewarden.gate.result import Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from lakewarden.gate.attestation.store import Stored

MODEL = "models:/prod.churn.model/7"


class Place(NamedTuple):
    folder: Path
    key: Path
    stored: Stored
    digest: str

    def verify(self, *arguments: str | Path, kind: str = "vsa") -> Ran:
        return inside(self.folder, "verify", self.stored.paths[kind], *arguments)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    private, public = write_key(tmp_path, "gate")
    model = tmp_path / "model"
    (model / "code").mkdir(parents=True)
    (model / "MLmodel").write_text("run_id: 1\n")
    (model / "code" / "predict.py").write_text("1\n")
    found = digest(files_in(model)).sha256
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    stored = store(replace(result(digest=found), finished=now), tmp_path / "attestations", sealer(f"key:{private}"))
    return Place(tmp_path, public, stored, found)


@pytest.mark.parametrize("kind", ["svr", "vsa"])
def test_the_version_its_files_and_its_policy_are_verified(place: Place, kind: str) -> None:
    found = place.verify(
        "--key", place.key, "--model", MODEL, "--bytes", "model", "--policy-digest", POLICY, "--level", "lineage", kind=kind
    )
    assert found.code == 0, found.out + found.err
    assert found.out.endswith("verified; not asked: file, evidence.\n")
    assert place.digest in found.out


def test_in_a_process_of_its_own_as_json(place: Place) -> None:
    found = lakewarden(
        place.folder, "verify", place.stored.paths["vsa"], "--key", place.key, "--digest", place.digest,
        "--evidence", place.stored.paths["evidence"], "--sha256", place.stored.digests["vsa"], "--output-format", "json",
    )  # fmt: skip
    assert (found.code, found.json["result"], found.json["exit_code"]) == (0, "verified", 0)
    assert [step["answer"] for step in found.json["steps"]] == [
        "verified", "verified", "verified", "not asked", "verified", "not asked", "verified", "verified", "verified"
    ]  # fmt: skip
    assert found.json["statement"]["predicate"]["verificationResult"] == "PASSED"


def test_what_mlflow_writes_down_beside_the_files_it_downloads_is_none_of_them(place: Place) -> None:
    beside = place.folder / "model" / "registered_model_meta"
    for content, code in (
        ("model_name: prod.churn.model\nmodel_version: '7'\n", 0),
        ("model_name: prod.churn.model\nmodel_version: '7'\nloader_module: other\n", 1),
        ("model_name: prod.churn.model\nmodel_version: '7'\n" + " " * 5000, 1),
    ):
        beside.write_text(content)
        assert place.verify("--key", place.key, "--model", MODEL, "--bytes", "model").code == code
    beside.rename(place.folder / "model" / "code" / beside.name)
    assert place.verify("--key", place.key, "--model", MODEL, "--bytes", "model").code == 1


def test_one_changed_file_is_refused(place: Place) -> None:
    (place.folder / "model" / "code" / "predict.py").write_text("2\n")
    found = place.verify("--key", place.key, "--model", MODEL, "--bytes", "model")
    assert found.code == 1
    assert "✗ bytes" in found.out
    assert place.verify("--key", place.key, "--digest", place.digest, "--bytes", "model").code == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("--model", "models:/prod.churn.model/8"),
        ("--digest", "00" * 32),
        ("--model", MODEL, "--policy-digest", "00" * 32),
        ("--model", MODEL, "--sha256", "00" * 32),
        ("--model", MODEL, "--level", "approved"),
        ("--model", MODEL, "--not-before", "2200-01-01T00:00:00Z"),
        ("--model", MODEL, "--require", "LAKEWARDEN_C16_APPROVED"),
        ("--model", MODEL, "--evidence", "model/MLmodel"),
    ],
)
def test_anything_else_is_refused(place: Place, arguments: tuple[str, ...]) -> None:
    found = place.verify("--key", place.key, *arguments)
    assert found.code == 1, found.out
    assert found.out.endswith("refused.\n")


def test_a_version_that_was_refused_or_signed_by_another(place: Place) -> None:
    private, public = write_key(place.folder, "other")
    assert place.verify("--key", public, "--model", MODEL).code == 1
    failed = store(with_check(result(), 7, Outcome.FAIL), place.folder / "failed", sealer(f"key:{private}"))
    found = inside(place.folder, "verify", failed.paths["vsa"], "--key", public, "--model", MODEL)
    assert (found.code, "FAILED" in found.out) == (1, True)


def test_unsigned_needs_a_word(place: Place) -> None:
    plain = store(result(), place.folder / "plain").paths["vsa"]
    assert inside(place.folder, "verify", plain, "--key", place.key, "--model", MODEL).code == 1
    found = inside(place.folder, "verify", plain, "--allow-unsigned", "--model", MODEL)
    assert found.code == 0
    assert "anybody may have made it" in found.out


def test_what_is_compared_with_nothing_is_not_verified(place: Place) -> None:
    found = place.verify("--key", place.key)
    assert found.code == 3
    assert found.out.endswith("not checked.\n")


def test_files_that_cannot_be_digested_are_not_verified(place: Place) -> None:
    (place.folder / "model" / "link").symlink_to(place.folder)
    found = place.verify("--key", place.key, "--model", MODEL, "--bytes", "model")
    assert (found.code, "? bytes" in found.out) == (3, True)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "nobody is trusted"),
        (("--key", "absent.pem"), "cannot read the key"),
        (("--key", "gate.pub.pem", "--model", "models:/prod.churn.model@champion"), "an alias may move"),
        (("--key", "gate.pub.pem", "--model", "prod.churn.model"), "names no version"),
        (("--key", "gate.pub.pem", "--digest", "abc"), "no SHA-256"),
        (("--key", "gate.pub.pem", "--policy-digest", "abc"), "no SHA-256"),
        (("--key", "gate.pub.pem", "--accept", "C7"), "cannot be accepted"),
        (("--key", "gate.pub.pem", "--accept", "all"), "cannot be accepted"),
        (("--key", "gate.pub.pem", "--level", "best"), "no level"),
        (("--key", "gate.pub.pem", "--not-before", "yesterday"), "no time"),
        (("--key", "gate.pub.pem", "--bytes", "absent"), "no folder"),
        (("--key", "gate.pub.pem", "--evidence", "absent"), "cannot read"),
        (("--trust", "absent.toml"), "cannot be read"),
    ],
)
def test_usage(place: Place, arguments: tuple[str, ...], told: str) -> None:
    found = place.verify(*arguments)
    assert found.code == 2, found.out
    assert told in found.err
    assert found.out == ""


def test_an_attestation_that_is_not_there(place: Place) -> None:
    found = inside(place.folder, "verify", "absent.json", "--key", place.key)
    assert (found.code, "cannot read absent.json" in found.err) == (2, True)


def test_a_policy_says_who_is_trusted_and_what_is_accepted(place: Place) -> None:
    policy = place.folder / "policies" / "serving.toml"
    policy.parent.mkdir()
    trusted = 'trusted = [{ key = "../gate.pub.pem" }]\n'
    policy.write_text(f"[attestation]\n{trusted}")
    assert place.verify("--trust", policy, "--model", MODEL).code == 0
    policy.write_text(f'[attestation]\n{trusted}policies = ["{"00" * 32}"]\n')
    assert place.verify("--trust", policy, "--model", MODEL).code == 1
    policy.write_text(f'[attestation]\n{trusted}policies = ["{POLICY}"]\nmax_age_days = 0\n')
    assert place.verify("--trust", policy, "--model", MODEL).code == 1
    waived = store(with_check(result(), 6, Outcome.WAIVED), place.folder / "waived", sealer(f"key:{place.folder / 'gate.pem'}"))
    for accept, code in (("[]", 1), ('["C6"]', 0)):
        policy.write_text(f"[attestation]\n{trusted}accept = {accept}\n")
        assert inside(place.folder, "verify", waived.paths["vsa"], "--trust", policy, "--model", MODEL).code == code
    policy.write_text("")
    assert place.verify("--trust", policy, "--model", MODEL).code == 3


@pytest.mark.parametrize(
    "text",
    [
        "trusted = [{ }]",
        'trusted = [{ key = "k.pem", issuer = "x", subject = "y", sigstore = "public" }]',
        'trusted = [{ issuer = "x", subject = "y" }]',
        'policies = ["abc"]',
        'accept = ["C7"]',
        'accept = ["everything"]',
        "max_age_days = -1",
    ],
)
def test_a_policy_that_says_nonsense_about_trust(place: Place, text: str) -> None:
    (place.folder / "p.toml").write_text(f"[attestation]\n{text}\n")
    found = place.verify("--trust", "p.toml", "--model", MODEL)
    assert (found.code, "attestation" in found.err) == (2, True)


def test_control_characters_of_a_statement_are_not_written_to_a_terminal(place: Place) -> None:
    stored = store(result(uri="\x1b[31mred/versions/7"), place.folder / "red", sealer(f"key:{place.folder / 'gate.pem'}"))
    found = inside(place.folder, "verify", stored.paths["vsa"], "--key", place.key, "--digest", result().digest or "")
    assert "\x1b" not in found.out


def test_it_does_not_load_what_it_does_not_need(place: Place) -> None:
    program = (
        "import sys; from lakewarden.cli.main import main\n"
        "try: main()\n"
        "finally: print(sorted({'sigstore', 'mlflow', 'databricks', 'duckdb', 'sqlglot'} & {m.partition('.')[0] for m in sys.modules}))"
    )
    import sys

    found = run(
        place.folder, sys.executable, "-c", program, "verify", place.stored.paths["vsa"], "--key", place.key, "--model", MODEL
    )
    assert found.out.splitlines()[-1] == "[]"
    assert found.code == 0


def test_the_same_digest_as_sha256sum(place: Place) -> None:
    for kind, path in place.stored.paths.items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == place.stored.digests[kind]


def test_without_the_extra_there_is_the_line_that_installs_it(place: Place) -> None:
    import sys

    program = (
        "import sys\n"
        "for name in ('securesystemslib', 'cryptography'): sys.modules[name] = None\n"
        "from lakewarden.cli.main import main; main()"
    )
    arguments = ("verify", place.stored.paths["vsa"], "--key", place.key, "--model", MODEL)
    found = run(place.folder, sys.executable, "-c", program, *arguments)
    assert (found.code, "pip install 'lakewarden[sign]'" in found.err) == (2, True)
