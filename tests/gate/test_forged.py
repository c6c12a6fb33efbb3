"""Bytes that are forged on a real MLflow server by somebody who may write to it: whatever they say of themselves, they are refused."""

from __future__ import annotations

import json
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from tests.running import commit, git, lakewarden, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.gate.trained import Trained

pytestmark = pytest.mark.slow

_ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"


@pytest.fixture
def honest(trained: Trained) -> tuple[str, str]:
    """The run that code of the release branch was, and the model that it logged."""
    first = trained.ask("/model-versions/get?name=First&version=1")["model_version"]
    return first["run_id"], first["source"].removeprefix("models:/")


@pytest.fixture
def register(trained: Trained) -> Callable[..., str]:
    def registered(source: str, run: str, **more: str) -> str:
        name = trained.model(versions=0)
        trained.ask("/model-versions/create", {"name": name, "source": source, "run_id": run, **more})
        return name

    return registered


def upload(trained: Trained, folder: str, run: str, model: str | None) -> None:
    """Files that nobody trained, which name a run and a model that somebody did."""
    said = f"run_id: {run}\nsignature:\n  inputs: '[]'\n" + (f"model_id: {model}\n" if model else "")
    for name, content in (("MLmodel", said), ("model.pkl", "evil")):
        at = f"{trained.url}{_ARTIFACTS}/{folder}/{name}"
        request = urllib.request.Request(at, content.encode(), method="PUT")  # noqa: S310
        with urllib.request.urlopen(request, timeout=60):  # noqa: S310
            pass


def own_bytes(trained: Trained, name: str, out: Path) -> tuple[int, str, str]:
    """The exit code of a gate, the outcome of C5, and what it says."""
    ran = trained.gate(f"models:/{name}/1", "--attestations", out, "--output-format", "json")
    said: dict[str, Any] = json.loads(ran.out)
    (check,) = [one for one in said["checks"] if one["code"] == "C5"]
    return ran.code, check["outcome"], json.dumps(check["said"])


def test_what_the_run_logged(trained: Trained, tmp_path: Path) -> None:
    assert own_bytes(trained, trained.model(), tmp_path)[:2] == (0, "pass")


@pytest.mark.parametrize("named", [False, True], ids=["no model", "its logged model"])
def test_files_that_were_put_among_those_of_the_run(
    trained: Trained, honest: tuple[str, str], register: Callable[..., str], tmp_path: Path, *, named: bool
) -> None:
    """Wherever else they are a server of today does not take them for its run's; servers before did, see `test_attacks`."""
    run, model = honest
    home = trained.ask(f"/runs/get?run_id={run}")["run"]["info"]["artifact_uri"]
    place = f"{home}/evil{int(named)}"
    upload(trained, place.removeprefix("mlflow-artifacts:/").strip("/"), run, model if named else None)
    code, outcome, _ = own_bytes(trained, register(place, run), tmp_path)
    assert (code, outcome) == ((1, "fail") if named else (3, "missing"))


def test_a_logged_model_that_was_made_for_the_run_afterwards(
    trained: Trained, honest: tuple[str, str], register: Callable[..., str], tmp_path: Path
) -> None:
    """Whoever may write to the server makes a model of any run: the time at which the server made it is not his to choose."""
    run, _ = honest
    experiment = trained.ask(f"/runs/get?run_id={run}")["run"]["info"]["experiment_id"]
    time.sleep(0.1)
    made = trained.ask("/logged-models", {"experiment_id": experiment, "name": "model", "source_run_id": run})["model"]["info"]
    upload(trained, made["artifact_uri"].removeprefix("mlflow-artifacts:/").strip("/"), run, made["model_id"])
    trained.ask(f"/logged-models/{made['model_id']}", {"model_id": made["model_id"], "status": "LOGGED_MODEL_READY"}, "PATCH")
    source = f"models:/{made['model_id']}"
    code, outcome, _ = own_bytes(trained, register(source, run, model_id=made["model_id"]), tmp_path)
    assert (code, outcome) == (1, "fail")


_OWN_WAIVERS = "".join(
    f'\n[[waivers]]\nrule = "{rule}"\nsubject = "*"\nreason = "x"\nowner = "me"\napproved_by = "you"\nexpires = 2999-01-01\n'
    for rule in ("GATE001", "GATE003", "GATE019", "DEP005", "TRK002", "GATE006")
)


def _commit_own(clone: Path, trained: Trained) -> None:
    write(clone, {"lakewarden.toml": trained.policy("identity") + _OWN_WAIVERS})
    commit(clone)


def _moved(clone: Path, trained: Trained) -> dict[str, str]:
    _commit_own(clone, trained)
    git(clone, "update-ref", "refs/remotes/origin/main", "HEAD")
    return {}


def _replaced(clone: Path, trained: Trained) -> dict[str, str]:
    released = git(clone, "rev-parse", "HEAD")
    _commit_own(clone, trained)
    git(clone, "replace", released, "HEAD")
    return {}


def _hidden_change(clone: Path, trained: Trained) -> dict[str, str]:
    git(clone, "update-index", "--assume-unchanged", "lakewarden.toml")
    write(clone, {"lakewarden.toml": trained.policy("identity") + _OWN_WAIVERS})
    return {}


def _instead(clone: Path, trained: Trained) -> dict[str, str]:
    """Git's own settings read the remote from another place."""
    _commit_own(clone, trained)
    fork = clone.with_name("fork.git")
    git(clone.parent, "clone", "-q", "--bare", str(clone), fork.name)
    settings = clone.with_name("settings")
    settings.write_text(f'[url "{fork.as_uri()}"]\n\tinsteadOf = {trained.remote.as_uri()}\n')
    return {"GIT_CONFIG_GLOBAL": str(settings)}


def _by_variables(clone: Path, trained: Trained) -> dict[str, str]:
    """The variables of Git name another repository, those of CI another branch."""
    fork = clone.with_name("fork")
    git(clone.parent, "clone", "-q", str(clone), fork.name)
    _commit_own(fork, trained)
    git(clone, "checkout", "-q", "-b", "feature")
    write(clone, {"lakewarden.toml": trained.policy("identity") + _OWN_WAIVERS})
    commit(clone)
    named = {"GIT_DIR": str(fork / ".git"), "GIT_WORK_TREE": str(clone), "GITHUB_ACTIONS": "true"}
    return {**named, "GITHUB_REF": "refs/heads/main", "GITHUB_EVENT_NAME": "push"}


@pytest.mark.parametrize("attack", [_moved, _replaced, _hidden_change, _instead, _by_variables])
def test_a_policy_of_ones_own_lets_nothing_pass(
    trained: Trained, attack: Callable[[Path, Trained], dict[str, str]], tmp_path: Path
) -> None:
    """The released policy asks for a level that this version does not reach; the attacker's own would let it pass, and waives the rest."""
    name, clone = trained.model(), tmp_path / "clone"
    with trained.under(trained.policy("validated")):
        git(tmp_path, "clone", "-q", trained.remote.as_uri(), clone.name)
        variables = attack(clone, trained)
        gate = ("gate", f"models:/{name}/1", "--to", "production", "--mlflow", trained.url, "--attestations", tmp_path / "out")
        ran = lakewarden(clone, *gate, "--set-alias", "champion", **variables)
    assert ran.code in (1, 3), ran.out + ran.err
    assert trained.aliases(name) == {}
