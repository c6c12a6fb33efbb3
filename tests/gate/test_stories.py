"""Where a version can come from, on a real MLflow server and real repositories: what a gate says of each story.

The versions are trained outside jobs, as on any server of one's own: the policy waives that (C10), so that a story without a
flaw ends with 0 and each flaw alone is what makes it another code.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from tests.gate.attestation.given import write_key
from tests.gate.trained import TRAIN
from tests.running import git, lakewarden, write
from tests.sources.platform.mlflow.running import _QUIET
from tests.sources.platform.wire.serving import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.gate.trained import Trained

pytestmark = pytest.mark.slow

_SCRIPT = TRAIN.replace('"First"', "sys.argv[1]").replace("import mlflow\n", "import sys\n\nimport mlflow\n", 1)
#: What "deploy models" does, with the tags that the original was given before.
_COPY = """
import datetime

client = mlflow.MlflowClient()
now = datetime.datetime.now(tz=datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
record = {"lakewarden.validation": "PASSED", "lakewarden.validation_mode": "enforced", "lakewarden.validated_at": now}
for name, value in {**record, "approval": "approved"}.items():
    client.set_model_version_tag(sys.argv[1], "1", name, value)
client.copy_model_version(f"models:/{sys.argv[1]}/1", "Copied")
"""
_WAIVER = """
[[waivers]]
rule = "DEP005"
subject = "*"
reason = "this server has no jobs"
owner = "team"
approved_by = "somebody else"
expires = 2999-01-01
"""
_COMMIT, _DIRTY = "mlflow.source.git.commit", "mlflow.source.git.dirty"


class Told(NamedTuple):
    """What a gate said: its exit code, each check by its code, and how long it took."""

    code: int
    checks: Mapping[str, Any]
    text: str
    seconds: float

    def outcomes(self, *codes: str) -> list[str]:
        return [self.checks[code]["outcome"] for code in codes]

    def said(self, code: str) -> str:
        return " ".join(str(one[field]) for one in self.checks[code]["said"] for field in ("message", "reason", "remedy"))


def policy_of(trained: Trained, level: str = "lineage", evidence: str = "run-tags", more: str = "") -> str:
    return trained.policy(level).replace('"run-tags"', f'"{evidence}"') + _WAIVER + more


@pytest.fixture(scope="module")
def stories(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """One version of each model, trained by code of the release branch, of another branch, and with changes that nobody
    committed, once recorded and once not; the commit of each by the model's name.
    """
    folder = tmp_path_factory.mktemp("stories")
    trained.git("remote", "set-url", "origin", trained.remote.as_uri())
    trained.release({"story.py": _SCRIPT})
    trainings = []
    for name, dirty in (("Released", "false"), ("Branched", "false"), ("Dirty", "true"), ("Silent", None)):
        place = folder / name
        git(folder, "clone", "-q", str(trained.remote), str(place))
        if name == "Branched":
            git(place, "checkout", "-q", "-b", "feature")
            write(place, {"story.py": f"{_SCRIPT}# better\n"})
            git(place, "commit", "-q", "-a", "-m", "Better")
            git(place, "push", "-q", "origin", "feature")
        else:
            write(place, {"story.py": f"{_SCRIPT}# changed\n"})
        env = {**os.environ, **_QUIET, "MLFLOW_TRACKING_URI": trained.url}
        if dirty is not None:
            env["MLFLOW_RUN_CONTEXT"] = json.dumps({_DIRTY: dirty})
        trainings.append((name, place, subprocess.Popen([sys.executable, "story.py", name], cwd=place, env=env)))
    assert [training.wait(100) for _, _, training in trainings] == [0, 0, 0, 0]
    copying = [sys.executable, "-c", f"import sys\nimport mlflow\n{_COPY}", "Released"]
    subprocess.run(copying, check=True, capture_output=True, env={**os.environ, **_QUIET, "MLFLOW_TRACKING_URI": trained.url})
    trained.git("fetch", "-q", "origin")
    return {name: git(place, "rev-parse", "HEAD") for name, place, _ in trainings}


@pytest.fixture
def gate(trained: Trained, stories: Mapping[str, str], tmp_path: Path) -> Callable[..., Told]:
    """Ask a gate of its own process about the first version of a model, under a policy that is released for that long."""
    assert stories

    def asked(name: str, *options: str | Path, policy: str = "", checkout: Path | None = None, url: str = "") -> Told:
        report = tmp_path / "report.json"
        report.unlink(missing_ok=True)
        with contextlib.ExitStack() as stack:
            if checkout is None:
                stack.enter_context(trained.under(policy or policy_of(trained)))
            begun = time.perf_counter()
            ran = lakewarden(
                checkout or trained.checkout, "gate", f"models:/{name}/1", "--to", "production", "--mlflow", url or trained.url,
                "--attestations", tmp_path / "out", "--output", f"json={report}", *options,
            )  # fmt: skip
        seconds = time.perf_counter() - begun
        checks = json.loads(report.read_text(encoding="utf-8"))["checks"] if report.exists() else []
        assert "Traceback" not in ran.err
        return Told(ran.code, {check["code"]: check for check in checks}, ran.out + ran.err, seconds)

    return asked


@pytest.fixture
def forged(trained: Trained) -> Iterator[Callable[..., None]]:
    """Rewrite tags of the run of a version and of the model that it logged; they are put back."""
    before: list[tuple[str, str, str, str | None]] = []

    def write_tag(name: str, tag: str, value: str) -> None:
        version = trained.ask(f"/model-versions/get?name={name}&version=1")["model_version"]
        run, model = version["run_id"], version["source"].removeprefix("models:/")
        tags = {one["key"]: one["value"] for one in trained.ask(f"/runs/get?run_id={run}")["run"]["data"]["tags"]}
        before.append((run, model, tag, tags.get(tag)))
        _tag(trained, run, model, tag, value)

    yield write_tag
    for run, model, tag, value in reversed(before):
        if value is None:
            trained.ask("/runs/delete-tag", {"run_id": run, "key": tag})
            trained.ask(f"/logged-models/{model}/tags/{tag}", method="DELETE")
        else:
            _tag(trained, run, model, tag, value)


def _tag(trained: Trained, run: str, model: str, tag: str, value: str) -> None:
    trained.ask("/runs/set-tag", {"run_id": run, "key": tag, "value": value})
    trained.ask(f"/logged-models/{model}/tags", {"tags": [{"key": tag, "value": value}]}, "PATCH")


@pytest.fixture
def elsewhere(trained: Trained, stories: Mapping[str, str], tmp_path: Path) -> Callable[..., Path]:
    """A copy of the remote and a clone of it, which a story may spoil; the policy is the remote's."""

    def cloned(*options: str, tag: str = "") -> Path:
        with trained.under(policy_of(trained)):
            git(tmp_path, "clone", "-q", "--bare", str(trained.remote), "remote.git")
        if tag:
            git(tmp_path / "remote.git", "tag", "main", stories[tag])
        git(tmp_path, "clone", "-q", *options, (tmp_path / "remote.git").as_uri(), "clone")
        return tmp_path / "clone"

    return cloned


def test_trained_from_the_release_branch(gate: Callable[..., Told]) -> None:
    told = gate("Released")
    assert told.code == 0, told.text
    assert told.outcomes("C4", "C5", "C6", "C7", "C10") == ["pass", "pass", "pass", "pass", "waived"]
    print(f"one gate on a server of this machine: {told.seconds:.2f} s")  # noqa: T201  (it is told, and judged by nobody)


def test_trained_from_another_branch(gate: Callable[..., Told]) -> None:
    told = gate("Branched")
    assert told.code == 1
    assert told.outcomes("C4", "C5", "C6", "C7") == ["pass", "pass", "pass", "fail"]
    assert "not on the release branch" in told.said("C7")


def test_trained_from_a_branch_that_the_clone_does_not_have(gate: Callable[..., Told], elsewhere: Callable[..., Path]) -> None:
    told = gate("Branched", checkout=elsewhere("--single-branch", "--branch", "main"))
    assert told.code in (1, 3)
    assert told.outcomes("C7") != ["pass"]


def test_trained_with_changes_that_were_recorded(gate: Callable[..., Told]) -> None:
    told = gate("Dirty")
    assert told.code == 1
    assert told.outcomes("C6", "C7") == ["fail", "fail"]
    assert "changes that were not committed" in told.said("C7")


def test_trained_with_changes_that_nobody_recorded(gate: Callable[..., Told]) -> None:
    told = gate("Silent")
    assert told.code == 3
    assert told.outcomes("C6", "C7") == ["missing", "missing"]
    assert _DIRTY in told.said("C6")


def test_a_copy_is_not_what_it_was_copied_from(trained: Trained, gate: Callable[..., Told]) -> None:
    policy = policy_of(trained, "approved")
    assert trained.tags("Copied", 1) == trained.tags("Released", 1) != {}
    original, copy = gate("Released", policy=policy), gate("Copied", policy=policy)
    assert original.outcomes("C4", "C14") == ["pass", "pass"]
    assert copy.outcomes("C4") == ["fail"]
    assert copy.outcomes("C14", "C16") == ["missing", "missing"]
    assert copy.code == 1


def test_a_copy_is_refused_by_the_lowest_level_too(trained: Trained, gate: Callable[..., Told]) -> None:
    told = gate("Copied", policy=policy_of(trained, "identity"))
    assert (told.code, told.outcomes("C4")) == (1, ["fail"])
    assert "is a copy of" in told.said("C4")


def test_a_server_does_not_tell_the_stage_of_what_was_copied(trained: Trained, gate: Callable[..., Told]) -> None:
    told = gate("Copied", policy=policy_of(trained, "identity", more='[parameters]\ndeployment_pattern = "deploy-models"\n'))
    assert (told.code, told.outcomes("C2", "C4", "C5")) == (3, ["missing", "missing", "missing"])


def test_a_rewritten_commit_is_no_evidence_where_stronger_is_demanded(
    trained: Trained, stories: Mapping[str, str], gate: Callable[..., Told], forged: Callable[..., None]
) -> None:
    forged("Branched", _COMMIT, stories["Released"])
    told = gate("Branched", policy=policy_of(trained, evidence="launch-parameters"))
    assert told.code == 1
    assert told.outcomes("C6") == ["fail"]
    assert "run-tags alone, which the policy does not accept" in told.said("C6")


def test_tags_that_name_two_commits_disagree(
    stories: Mapping[str, str], gate: Callable[..., Told], forged: Callable[..., None]
) -> None:
    forged("Branched", "mlflow.databricks.gitRepoCommit", stories["Released"])
    told = gate("Branched")
    assert told.code == 1
    assert told.outcomes("C6", "C7") == ["fail", "fail"]
    assert "disagrees" in told.said("C6")


def test_a_run_that_disagrees_with_the_model_that_it_logged(
    trained: Trained, stories: Mapping[str, str], gate: Callable[..., Told], forged: Callable[..., None]
) -> None:
    forged("Branched", _COMMIT, stories["Branched"])
    run = trained.ask("/model-versions/get?name=Branched&version=1")["model_version"]["run_id"]
    trained.ask("/runs/set-tag", {"run_id": run, "key": _COMMIT, "value": stories["Released"]})
    told = gate("Branched")
    assert (told.code, told.outcomes("C6")) == (1, ["fail"])
    assert "disagrees" in told.said("C6")


def test_a_rewritten_commit_disagrees_with_what_was_captured(
    trained: Trained, stories: Mapping[str, str], gate: Callable[..., Told], forged: Callable[..., None], tmp_path: Path
) -> None:
    private, public = write_key(tmp_path, "signer")
    trusted = f'[[attestation.trusted]]\nkey = "{public}"\n'
    with trained.under(policy_of(trained, more=trusted)):
        ran = lakewarden(
            trained.checkout, "capture", "models:/Branched/1", "--mlflow", trained.url, "--attestations", tmp_path / "out",
            "--sign", f"key:{private}",
        )  # fmt: skip
    assert ran.code == 0, ran.out + ran.err
    forged("Branched", _COMMIT, stories["Released"])
    told = gate("Branched", policy=policy_of(trained, more=trusted))
    assert (told.code, told.outcomes("C6")) == (1, ["fail"])
    assert "disagrees" in told.said("C6")


def test_a_deleted_run(trained: Trained, gate: Callable[..., Told]) -> None:
    run = trained.ask("/model-versions/get?name=Released&version=1")["model_version"]["run_id"]
    trained.ask("/runs/delete", {"run_id": run})
    try:
        told = gate("Released")
    finally:
        trained.ask("/runs/restore", {"run_id": run})
    assert (told.code, told.outcomes("C4")) == (1, ["fail"])
    assert "was deleted" in told.said("C4")


def test_a_server_that_is_not_there(gate: Callable[..., Told]) -> None:
    told = gate("Released", url=f"http://127.0.0.1:{free_port()}")
    assert told.code == 3
    assert told.seconds < 45
    assert "pass" not in told.outcomes(*{"C2", "C4", "C5", "C6", "C7"}.intersection(told.checks))
    assert any("127.0.0.1" in line for line in told.text.splitlines())


def test_a_server_that_never_answers(gate: Callable[..., Told]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        told = gate("Released", "--timeout", "3", url=f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert told.code == 3
    assert told.seconds < 45
    assert "pass" not in told.outcomes(*{"C2", "C4", "C5", "C6", "C7"}.intersection(told.checks))


def test_a_history_that_is_cut_off(gate: Callable[..., Told], elsewhere: Callable[..., Path]) -> None:
    told = gate("Released", checkout=elsewhere("--depth", "1"))
    assert told.code == 3
    assert told.outcomes("C3", "C7") == ["missing", "missing"]
    assert "fetch-depth: 0" in told.checks["C7"]["remedy"]


@pytest.mark.parametrize(("name", "code", "outcome"), [("Branched", 1, "fail"), ("Released", 0, "pass")])
def test_a_tag_that_is_called_like_the_release_branch(
    gate: Callable[..., Told], elsewhere: Callable[..., Path], name: str, code: int, outcome: str
) -> None:
    told = gate(name, checkout=elsewhere(tag="Branched"))
    assert told.outcomes("C7") == [outcome]
    assert told.code == code, told.text
