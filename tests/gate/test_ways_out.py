"""Acting and the ways out of a gate, on a real MLflow server: what is stored, what is moved, and what is not."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest
from tests.running import inside

if TYPE_CHECKING:
    from pathlib import Path

    from tests.gate.trained import Trained
    from tests.running import Ran


GLASS = ("--break-glass", "OPS-1", "--reason", "it burns", "--set-alias", "champion")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "attestations"


def told(ran: Ran) -> str:
    """What people read, as one line; nothing is said beside the report."""
    assert ran.err == ""
    return " ".join(ran.out.split()).replace("The glass", "the glass")


def payload(folder: Path, kind: str, name: str, version: int = 1) -> dict[str, Any]:
    envelope = json.loads((folder / f"{name}-{version}.{kind}.dsse.json").read_bytes())
    found: dict[str, Any] = json.loads(base64.b64decode(envelope["payload"]))
    return found


def test_a_pass_is_stored_and_moves_nothing(trained: Trained, out: Path) -> None:
    name = trained.model()
    ran = trained.gate(f"models:/{name}/1", "--attestations", out)
    assert (ran.code, ran.err) == (0, "")
    said = payload(out, "vsa", name)["predicate"]
    assert said["verificationResult"] == "PASSED"
    assert "LAKEWARDEN_FIRST_PROMOTION" in said["verifiedLevels"]
    assert (trained.aliases(name), trained.tags(name, 1)) == ({}, {})


def test_a_refusal_is_stored_and_moves_nothing_though_it_was_asked_for(trained: Trained, out: Path) -> None:
    name = trained.model()
    with trained.under(trained.policy("lineage")):
        ran = trained.gate(f"models:/{name}/1", "--attestations", out, "--set-alias", "champion")
    assert ran.code == 1
    assert "@champion was not moved" in told(ran)
    assert payload(out, "vsa", name)["predicate"]["verificationResult"] == "FAILED"
    assert trained.aliases(name) == {}


def test_a_pass_moves_the_alias_and_tags_the_version(trained: Trained, out: Path) -> None:
    name = trained.model(2)
    trained.point(name, "champion", 1)
    ran = trained.gate(f"models:/{name}/2", "--attestations", out, "--set-alias", "champion", "--tag")
    assert ran.code == 0, ran.out + ran.err
    assert "@champion was moved from version 1 to version 2" in told(ran)
    assert trained.aliases(name) == {"champion": "2"}
    tags = trained.tags(name, 2)
    assert tags["lakewarden.gate"] == "PASSED"
    assert sorted(tags) == [
        "lakewarden.attestation", "lakewarden.attestation_sha256", "lakewarden.gate", "lakewarden.policy_sha256",
    ]  # fmt: skip


def test_what_cannot_be_stored_moves_nothing(trained: Trained, tmp_path: Path) -> None:
    name = trained.model()
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    ran = trained.gate(f"models:/{name}/1", "--attestations", tmp_path / "file", "--set-alias", "champion")
    assert ran.code == 3
    assert "the decision was not recorded" in told(ran)
    assert trained.aliases(name) == {}


def test_outside_the_places_of_the_policy_nothing_is_moved(trained: Trained, out: Path) -> None:
    name = trained.model()
    with trained.under(trained.policy().replace(', "terminal"', "")):
        ran = trained.gate(f"models:/{name}/1", "--attestations", out, "--set-alias", "champion", "--tag")
    assert ran.code == 1
    assert trained.aliases(name) == {}


def test_a_version_without_an_attestation_is_no_way_back(trained: Trained, out: Path) -> None:
    name = trained.model()
    ran = trained.gate(f"models:/{name}/1", "--attestations", out, "--rollback", "--set-alias", "champion")
    assert ran.code == 1
    assert "GATE021" in ran.out
    assert trained.aliases(name) == {}


def test_a_rollback_needs_neither_git_nor_the_run(trained: Trained, out: Path, tmp_path: Path) -> None:
    name = trained.model(2)
    with trained.under(trained.policy().replace("everybody", "*")):
        assert trained.gate(f"models:/{name}/1", "--attestations", out).code == 0
        trained.point(name, "champion", 2)
        policy = tmp_path / "lakewarden.toml"
        shutil.copy(trained.checkout / "lakewarden.toml", policy)
    run = trained.ask(f"/model-versions/get?name={name}&version=1")["model_version"]["run_id"]
    trained.ask("/runs/delete", {"run_id": run})
    trained.checkout.rename(trained.checkout.with_name("away"))
    trained.remote.rename(trained.remote.with_name("away.git"))
    try:
        ran = inside(
            tmp_path, "gate", f"models:/{name}/1", "--to", "production", "--mlflow", trained.url, "--attestations", out, "--rollback",
            "--set-alias", "champion", "--policy", policy,
        )  # fmt: skip
    finally:
        trained.checkout.with_name("away").rename(trained.checkout)
        trained.remote.with_name("away.git").rename(trained.remote)
        trained.ask("/runs/restore", {"run_id": run})
    assert ran.code == 0, ran.out + ran.err
    assert trained.aliases(name) == {"champion": "1"}
    assert payload(out, "vsa", name)["predicate"]["verifiedLevels"] == ["LAKEWARDEN_ROLLBACK"]
    told = " ".join(ran.out.split())
    assert "to production, rollback" in told
    assert "A rollback asks for no level: only that the version is ready, that its files are those that were attested" in told
    assert "reaches no level" not in told


@pytest.mark.parametrize("registry", ["alias", "stage"])
def test_a_version_that_is_live_already_makes_the_next_no_first_promotion(trained: Trained, out: Path, registry: str) -> None:
    name = trained.model(2)
    assert trained.gate(f"models:/{name}/2", "--attestations", out).code == 0
    assert "LAKEWARDEN_FIRST_PROMOTION" in payload(out, "vsa", name, 2)["predicate"]["verifiedLevels"]
    if registry == "alias":
        trained.point(name, "champion", 1)
    else:
        trained.ask("/model-versions/transition-stage", {"name": name, "version": "1", "stage": "Production"})
    assert trained.gate(f"models:/{name}/2", "--attestations", out).code == 0
    assert "LAKEWARDEN_FIRST_PROMOTION" not in payload(out, "vsa", name, 2)["predicate"]["verifiedLevels"]


def test_a_rollback_waits_for_no_git_host(trained: Trained, out: Path) -> None:
    name = trained.model()
    assert trained.gate(f"models:/{name}/1", "--attestations", out).code == 0
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        trained.git("remote", "set-url", "origin", f"https://127.0.0.1:{silent.getsockname()[1]}/acme/churn")
        try:
            ran = trained.gate(f"models:/{name}/1", "--rollback", "--attestations", out)
            silent.settimeout(0.1)
            with pytest.raises(TimeoutError):
                silent.accept()
        finally:
            trained.git("remote", "set-url", "origin", trained.remote.as_uri())
    assert ran.code == 0, ran.out + ran.err


def test_champions_are_adopted_once_and_then_a_way_back(trained: Trained, out: Path) -> None:
    name = trained.model(2)
    trained.point(name, "champion", 1)
    ran = trained.gate(f"models:/{name}", "--adopt", "--attestations", out)
    assert ran.code == 0, ran.out + ran.err
    assert "LAKEWARDEN_ADOPTION" in payload(out, "vsa", name)["predicate"]["verifiedLevels"]
    assert [path.name for path in out.iterdir() if "-2." in path.name] == []


def test_a_broken_glass_moves_the_alias_and_is_no_pass(trained: Trained, out: Path) -> None:
    name = trained.model()
    with trained.under(trained.policy("lineage", '"everybody"')):
        ran = trained.gate(f"models:/{name}/1", "--attestations", out, *GLASS)
    assert ran.code == 1
    assert "the glass is broken for OPS-1" in told(ran)
    assert trained.aliases(name) == {"champion": "1"}
    assert payload(out, "vsa", name)["predicate"]["verificationResult"] == "FAILED"
    assert "LAKEWARDEN_BREAK_GLASS_TICKET=OPS-1" in payload(out, "svr", name)["predicate"]["properties"]


def test_an_audit_tells_a_broken_glass_until_a_whole_gate_has_passed(trained: Trained, out: Path) -> None:
    name = trained.model()

    def audited() -> list[tuple[str, str]]:
        ran = inside(
            trained.checkout, "audit", "--mlflow", trained.url, "--attestations", out, "--no-repository", "--select", "GATE023,DEP015",
            "--output-format", "json",
        )  # fmt: skip
        return [(one["code"], one["verdict"]) for one in ran.json["findings"] if f"/{name}/" in one["subject"]]

    with trained.under(trained.policy("lineage", '"everybody"')):
        assert trained.gate(f"models:/{name}/1", "--attestations", out, *GLASS).code == 1
    assert ("GATE023", "fail") in audited()
    time.sleep(1.1)  # times are told to the second
    assert trained.gate(f"models:/{name}/1", "--attestations", out).code == 0
    assert audited() == []


def test_the_glass_is_broken_by_nobody_whom_the_policy_does_not_name(trained: Trained, out: Path) -> None:
    name = trained.model()
    with trained.under(trained.policy("lineage", '"somebody"')):
        ran = trained.gate(f"models:/{name}/1", "--attestations", out, *GLASS)
    assert ran.code == 1
    assert "the glass was not broken" in told(ran)
    assert trained.aliases(name) == {}
    assert "LAKEWARDEN_BREAK_GLASS" not in payload(out, "svr", name)["predicate"]["properties"]


def test_a_report_tells_levels_and_writes_nothing(trained: Trained) -> None:
    name = trained.model()
    trained.point(name, "champion", 1)
    before = sorted(trained.checkout.iterdir())
    with trained.under(trained.policy("")):
        ran = trained.gate(f"models:/{name[:-1]}*@champion", "--report-only", "--output-format", "json")
        refused = trained.gate(f"models:/{name}/1")
    assert (ran.code, ran.json["missed"]) == (0, [])
    (told,) = [one for one in ran.json["versions"] if one["model"] == name]
    assert (told["reached"], told["next"], told["number"]) == ("identity", "lineage", "1")
    assert "C10" in {one["check"] for one in told["stopped_by"]}
    assert sorted(trained.checkout.iterdir()) == before
    assert refused.code == 2
    assert "@champion, version 1, would reach identity" in " ".join(refused.err.split())


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--rollback", "--adopt"), "exclude each other"),
        (("--break-glass", "OPS-1"), "belong together"),
        (("--break-glass", "OPS-1", "--reason", "x"), "--set-alias"),
        (("--set-alias", "shadow"), "@shadow is no alias of what is live"),
        (("--report-only", "--tag"), "moves nothing"),
        (("--adopt", "--set-alias", "champion"), "moves nothing"),
        (("--report-only", "--attestations", "here"), "writes nothing"),
    ],
)
def test_options_that_contradict_each_other(trained: Trained, options: tuple[str, ...], told: str) -> None:
    ran = trained.gate("models:/First/1", *options)
    assert ran.code == 2
    assert told in " ".join(ran.err.split())


def test_a_registry_without_aliases_has_none_to_move(trained: Trained) -> None:
    ran = inside(trained.checkout, "gate", "models:/Old/1", "--to", "production", "--set-alias", "champion")
    assert ran.code == 2
    assert "no aliases" in ran.err
