"""What somebody may try who wants a version to go live that should not: names, places, refs, bytes that are not what they seem."""

from __future__ import annotations

import datetime as dt
import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.gate.complete import VERSION, docket, story
from tests.running import commit, git, write
from tests.sources.platform.wire.serving import Says, serving

from lakewarden.errors import SourceError, UsageError
from lakewarden.facts.collect import Facts
from lakewarden.facts.model.gate import Candidate
from lakewarden.facts.model.registry import Model, ModelAlias, ModelVersion
from lakewarden.gate.result import Outcome
from lakewarden.gate.run import judge
from lakewarden.policy.model import EnvironmentPolicy, GatePolicy, Policy, WaiverPolicy
from lakewarden.sources.platform.databricks.captured import READ
from lakewarden.sources.platform.databricks.rights import Rights
from lakewarden.sources.platform.databricks.runs import RunRead
from lakewarden.sources.platform.estate import Estate
from lakewarden.sources.platform.gate import artifacts
from lakewarden.sources.platform.gate.alias import move
from lakewarden.sources.platform.gate.candidate import version_named
from lakewarden.sources.platform.gate.place import CI, JOB, TERMINAL, Place, place_of
from lakewarden.sources.platform.gate.remotes import Remotes
from lakewarden.sources.platform.gate.request import request_of
from lakewarden.sources.platform.gate.reread import ask_first, is_unchanged, watch
from lakewarden.sources.platform.gate.surroundings import state_of, write_surroundings
from lakewarden.sources.platform.wire import http

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

RUN, OTHER_RUN = "a" * 32, "b" * 32
LOGGED = "m-" + "c" * 32
HOME = f"mlflow-artifacts:/1/{RUN}/artifacts"
HISTORY = [{"key": "mlflow.log-model.history", "value": '[{"artifact_path": "model"}]'}]
RUN_READ = {
    "info": {"artifact_uri": HOME, "experiment_id": "1", "start_time": 10**12, "end_time": 10**12 + 60_000},
    "data": {"tags": HISTORY},
}


# --- the request ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "uri", ["models:/a.b.c/\N{ARABIC-INDIC DIGIT SEVEN}", "models:/a.b.c/\N{SUPERSCRIPT TWO}", "models:/a.b.c/0"]
)
def test_what_is_no_number_of_a_version(uri: str) -> None:
    with pytest.raises(UsageError, match="may be another one tomorrow"):
        request_of(uri, "production")


def test_a_version_has_one_name() -> None:
    """Else what was attested and captured of version 7 would not be held against 007."""
    assert request_of("models:/Prod.ml.Churn/007", "production") == request_of(
        "models:/Prod.ml.Churn/007", "production"
    )._replace(number="7", name="prod.ml.churn")


def test_of_aliases_that_differ_in_case_the_one_that_was_named() -> None:
    facts = Facts()
    estate = Estate(http.connect("http://127.0.0.1:1"), facts, frozenset(), Rights(http.connect("http://127.0.0.1:1")))
    model = Model(key="h/m", plane="deployed", name="m")
    for alias, number in (("Challenger", 1), ("challenger", 2)):
        key = f"h/m/{alias}"
        facts.add(ModelAlias(key=key, plane="deployed", model="h/m", alias=alias, version_key=f"h/m/{number}"))
    assert [version_named(estate, model, name) for name in ("Challenger", "challenger", "CHALLENGER", "champion")] == [
        "1",
        "2",
        "1",
        None,
    ]


# --- the bytes --------------------------------------------------------------------------------------------------------


def bytes_of(
    mlmodel: str,
    source: str,
    *,
    uri: str = "",
    model_id: str = "",
    logged: Mapping[str, Any] | None = None,
    run: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """What is said of the files of a version that the registry says is of RUN."""
    prefix = "/api/2.0/mlflow"

    def answer(asked: Any) -> Says:
        if asked.path == f"{prefix}/model-versions/get-download-uri":
            return Says({"artifact_uri": uri or f"{HOME}/model"})
        if asked.path == f"{prefix}/logged-models/{LOGGED}" and logged is not None:
            return Says({"model": {"info": logged}})
        if asked.path == "/api/2.0/mlflow-artifacts/artifacts":
            return Says({"files": [{"path": "MLmodel", "is_dir": False, "file_size": len(mlmodel)}]})
        if asked.path.endswith("/MLmodel"):
            return Says(mlmodel.encode())
        return Says({"error_code": "RESOURCE_DOES_NOT_EXIST"}, status=404)

    with serving(answer) as server:
        api, facts = http.connect(server.url), Facts()
        estate = Estate(api, facts, frozenset({"artifacts"}), Rights(api), "none")
        key = f"{server.url}/churn/7"
        facts.add(Candidate(key=key, plane="deployed", version_key=key))
        facts.add(ModelVersion(key=key, plane="deployed", model=key.rpartition("/")[0], run=f"{server.url}/{RUN}"))
        row = {"version": "7", "source": source, "run_id": RUN, "model_id": model_id}
        request = request_of("models:/churn/7", "production", server=True)
        estate.kept.update({"request": request, "policy": Policy(), "version rows": {"7": row}})
        estate.kept[READ] = {f"{server.url}/{RUN}": RunRead(run or RUN_READ, [], None, None)}
        estate.kept["digester"] = artifacts.Digester(lambda _files: "ab" * 32)
        artifacts.collect(estate)
        told = {name: row.__dict__[name] for row in facts.rows["artifacts"] for name in ("same_run", "same_model", "digest")}
        return {**told, "why": " ".join(gap.reason for gap in facts.gaps)}


OWN = f"run_id: {RUN}\n"


def test_files_of_the_run_itself() -> None:
    for source in (f"mlflow-artifacts:/1/{RUN}/artifacts/model", f"runs:/{RUN}/model", "s3://bucket/a/b"):
        assert bytes_of(OWN, source) == {"same_run": True, "same_model": True, "digest": "ab" * 32, "why": ""}


@pytest.mark.parametrize(
    "source",
    [
        f"mlflow-artifacts:/1/{OTHER_RUN}/artifacts/model",
        f"dbfs:/databricks/mlflow-tracking/1/{OTHER_RUN}/artifacts/model",
        f"s3://bucket/1/{OTHER_RUN}/artifacts",
        f"runs:/{OTHER_RUN}/model",
        f"s3://bucket/1/{RUN}/artifacts/../../{OTHER_RUN}/artifacts/model",
    ],
)
def test_files_that_come_from_another_run_than_they_say(source: str) -> None:
    """Whoever trained in a run of his own writes what he likes into its MLmodel file, and registers it as another's."""
    assert bytes_of(OWN, source)["same_run"] is False


def test_files_of_another_logged_model_than_they_say() -> None:
    source = f"mlflow-artifacts:/1/models/{'m-' + 'd' * 32}/artifacts"
    assert bytes_of(f"{OWN}model_id: {LOGGED}\n", source, logged={"source_run_id": RUN})["same_model"] is False
    source = f"mlflow-artifacts:/1/models/{LOGGED}/artifacts"
    found = bytes_of(f"{OWN}model_id: {LOGGED}\n", source, logged={"source_run_id": RUN})
    assert (found["same_run"], found["same_model"]) == (True, True)
    assert bytes_of(f"{OWN}model_id: {LOGGED}\n", source, logged={"source_run_id": OTHER_RUN})["same_run"] is False


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        (f"{HOME}/model/", True),
        ("mlflow-artifacts:/evil", False),
        (f"{HOME}-evil/model", False),
        (f"{HOME}/%2e%2e/evil", False),
        (f"{HOME}/evil", None),
    ],
)
def test_files_that_say_that_they_are_of_a_run_that_did_not_log_them(uri: str, expected: bool | None) -> None:
    """Whoever may write to the storage writes the name of a good run into the MLmodel file of a bad model."""
    assert bytes_of(OWN, "s3://bucket/a", uri=uri)["same_run"] is expected


@pytest.mark.parametrize(
    ("more", "outputs", "expected"),
    [
        ({}, [LOGGED], True),
        ({}, [], True),
        ({}, ["m-" + "d" * 32], False),
        ({"creation_timestamp_ms": 10**12 + 30_000, "experiment_id": "1"}, [LOGGED], True),
        ({"creation_timestamp_ms": 10**12 + 86_400_000}, [LOGGED], False),
        ({"creation_timestamp_ms": 10**12 - 86_400_000}, [LOGGED], False),
        ({"experiment_id": "2"}, [LOGGED], False),
        ({"artifact_uri": "mlflow-artifacts:/1/models/other"}, [LOGGED], False),
    ],
)
def test_a_logged_model_that_only_says_of_which_run_it_is(
    more: dict[str, Any], outputs: list[str], expected: bool | None
) -> None:
    at = f"mlflow-artifacts:/1/models/{LOGGED}/artifacts"
    info = {"model_id": LOGGED, "source_run_id": RUN, "artifact_uri": at, **more}
    run = {**RUN_READ, "outputs": {"model_outputs": [{"model_id": one} for one in outputs]}}
    found = bytes_of(f"{OWN}model_id: {LOGGED}\n", f"models:/{LOGGED}", uri=at, logged=info, run=run)
    assert found["same_run"] is expected


@pytest.mark.parametrize(
    "mlmodel",
    [
        f"{OWN}model_id: [1]\n",
        "run_id: {a: b}\n",
        "run_id: 2026-01-01\n",
        # Each line doubles what the one before stands for.
        "a: &a [x, x]\n" + "".join(f"{y}: &{y} [*{x}, *{x}]\n" for x, y in zip("abcdefghijklmnopqrstuvwxy", "bcdefghijklmnopqrstuvwxyz", strict=True)) + "run_id: *z\n",
    ],
    ids=["list", "mapping", "date", "bomb"],
)  # fmt: skip
def test_a_model_file_that_names_no_text(mlmodel: str) -> None:
    found = bytes_of(mlmodel, "s3://bucket/a")
    assert found["same_run"] is (True if mlmodel.startswith(OWN) else None)


@pytest.mark.parametrize("uri", ["mlflow-artifacts://elsewhere.example.com/1/model", "mlflow-artifacts://127.0.0.1:1/1/model"])
def test_files_on_another_server_are_not_those_of_this_one(uri: str) -> None:
    """Who loads the model asks that server; its digest here would be that of other bytes."""
    found = bytes_of(OWN, uri, uri=uri)
    assert "digest" not in found
    assert "on another server" in found["why"]


# --- the place --------------------------------------------------------------------------------------------------------


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout of the release branch, whose policy the remote has too."""
    remote = tmp_path / "remote"
    remote.mkdir()
    git(remote, "init", "-q", "-b", "main")
    write(remote, {"lakewarden.toml": "[gate]\nlevel = 'identity'\n"})
    commit(remote)
    git(tmp_path, "clone", "-q", remote.as_uri(), "checkout")
    return tmp_path / "checkout"


def surrounded(root: Path | None, place: Place, policy_file: Path | None = None) -> dict[str, Any]:
    """What surrounds a gate in a checkout: its place, and whether the policy is released."""
    facts = Facts()
    facts.add(Candidate(key=VERSION, plane="deployed", version_key=VERSION))
    file = policy_file or (None if root is None else root / "lakewarden.toml")
    policy = Policy(
        environments={"production": EnvironmentPolicy(catalogs=("prod",))},
        gate=GatePolicy(places=("ci", "terminal")),
        path=None if file is None else str(file),
        files=() if file is None else (str(file),),
    )
    request = request_of("models:/prod.ml.churn/7", "production")
    write_surroundings(facts, request, policy, place, None if root is None else str(root), Remotes())
    (row,) = facts.rows["gate_places"]
    names = ("place", "is_allowed", "pull_request", "on_release_ref", "clean")
    return {**{name: row.__dict__[name] for name in names}, "released": facts.rows["candidates"][0].__dict__["policy_released"]}


GOOD = {"place": CI, "is_allowed": True, "pull_request": False, "on_release_ref": True, "clean": True, "released": True}
ON_MAIN = Place(CI, "GitHub Actions", "refs/heads/main")


def test_a_clean_checkout_of_the_release_branch(checkout: Path) -> None:
    assert surrounded(checkout, ON_MAIN) == GOOD
    assert surrounded(checkout, Place(TERMINAL, "terminal")) == {**GOOD, "place": TERMINAL}
    assert surrounded(checkout, Place(JOB, "Databricks"))["is_allowed"] is False
    assert surrounded(checkout, ON_MAIN._replace(pull_request=None))["pull_request"] is None


@pytest.mark.parametrize(
    "ref",
    [
        "refs/heads/feature",
        "refs/heads/origin/main",
        "refs/pull/5/merge",
        "refs/tags/main",
        "refs/heads/refs/heads/main",
        "main2",
    ],
)
def test_a_ref_that_is_not_the_release_branch(checkout: Path, ref: str) -> None:
    """A tag may be called like the branch, and a branch like the name under which a clone has it."""
    assert surrounded(checkout, ON_MAIN._replace(ref=ref))["on_release_ref"] is False


def test_a_tag_without_a_checkout_is_not_known_to_be_released() -> None:
    found = surrounded(None, ON_MAIN._replace(ref="refs/tags/main"))
    assert (found["on_release_ref"], found["clean"], found["released"]) == (None, None, None)
    assert surrounded(None, ON_MAIN)["on_release_ref"] is True


def test_changes_that_nobody_committed(checkout: Path) -> None:
    write(checkout, {"lakewarden.toml": "[gate]\nlevel = 'approved'\n"})
    found = surrounded(checkout, ON_MAIN)
    assert (found["clean"], found["released"]) == (False, False)


def test_a_policy_that_only_this_clone_has(checkout: Path) -> None:
    write(checkout, {"lakewarden.toml": "[gate]\nplaces = ['terminal']\n"})
    commit(checkout)
    found = surrounded(checkout, ON_MAIN)
    assert (found["clean"], found["released"]) == (True, False)


def test_a_policy_that_a_moved_tracking_ref_calls_released(checkout: Path) -> None:
    write(checkout, {"lakewarden.toml": "[gate]\nplaces = ['terminal']\n"})
    commit(checkout)
    git(checkout, "update-ref", "refs/remotes/origin/main", "HEAD")
    found = surrounded(checkout, ON_MAIN)
    assert (found["clean"], found["released"]) == (True, False)


def test_a_policy_that_is_not_the_released_one_any_more(checkout: Path, tmp_path: Path) -> None:
    write(tmp_path / "remote", {"lakewarden.toml": "[gate]\nlevel = 'approved'\n"})
    commit(tmp_path / "remote")
    assert surrounded(checkout, ON_MAIN)["released"] is None
    git(checkout, "fetch", "-q", "origin")
    assert surrounded(checkout, ON_MAIN)["released"] is False
    git(checkout, "merge", "-q", "--ff-only", "refs/remotes/origin/main")
    assert surrounded(checkout, ON_MAIN)["released"] is True


def test_a_release_branch_that_moves_while_the_gate_asks(checkout: Path, tmp_path: Path) -> None:
    """C19 asks the remote again: what the clone has of it does not change by itself."""
    request, root = request_of("models:/prod.ml.churn/7", "production"), str(checkout)
    policy = Policy(path=str(checkout / "lakewarden.toml"), files=(str(checkout / "lakewarden.toml"),))
    remotes, remote = Remotes(), tmp_path / "remote"
    asks = iter((remotes.first, *[remotes.now] * 9))
    with serving(lambda _asked: Says({})) as server:
        api = http.connect(server.url)
        estate = Estate(api, Facts(), frozenset(), Rights(api), "none")
        watch(estate, lambda: state_of(policy, request, root, next(asks)))
        git(remote, "branch", "feature")
        assert is_unchanged(estate)
        commit(remote)
        assert not is_unchanged(estate)
        remote.rename(tmp_path / "gone")
        with pytest.raises(SourceError):
            is_unchanged(estate)
        watch(estate, lambda: state_of(policy, request, root, remotes.now))
        (tmp_path / "gone").rename(remote)
        with pytest.raises(SourceError):  # what it was at the beginning nobody knows
            is_unchanged(estate)


def test_a_remote_that_does_not_answer_makes_no_policy_released(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "remote").rename(tmp_path / "gone")
    assert surrounded(checkout, ON_MAIN)["released"] is None


def test_a_tag_that_is_called_like_a_branch_of_which_the_clone_knows_no_more(checkout: Path) -> None:
    git(checkout, "update-ref", "-d", "refs/remotes/origin/main")
    assert surrounded(checkout, ON_MAIN._replace(ref="refs/tags/main"))["on_release_ref"] is False


def test_a_policy_of_a_fork_that_is_a_remote_too(checkout: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "remote", "fork")
    write(tmp_path / "fork", {"lakewarden.toml": "[gate]\nplaces = ['terminal']\n"})
    commit(tmp_path / "fork")
    git(checkout, "remote", "add", "fork", (tmp_path / "fork").as_uri())
    git(checkout, "fetch", "-q", "fork")
    git(checkout, "checkout", "-q", "-b", "theirs", "fork/main")
    assert surrounded(checkout, ON_MAIN)["released"] is False
    git(checkout, "remote", "rename", "origin", "upstream")
    assert surrounded(checkout, ON_MAIN)["released"] is None


def test_a_branch_of_the_remote_that_is_called_like_a_remote_branch(checkout: Path, tmp_path: Path) -> None:
    remote = tmp_path / "remote"
    git(remote, "checkout", "-q", "-b", "origin/main")
    write(remote, {"lakewarden.toml": "[gate]\nplaces = ['terminal']\n"})
    commit(remote)
    git(checkout, "fetch", "-q", "origin")
    git(checkout, "checkout", "-q", "--detach", "refs/remotes/origin/origin/main")
    assert surrounded(checkout, ON_MAIN)["released"] is False


@pytest.mark.skipif(os.name == "nt", reason="symbolic links need a right on Windows")
def test_a_policy_that_is_elsewhere(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "lakewarden.toml").write_bytes((checkout / "lakewarden.toml").read_bytes())
    assert surrounded(checkout, ON_MAIN, tmp_path / "lakewarden.toml")["released"] is None
    (checkout / "lakewarden.toml").unlink()
    (checkout / "lakewarden.toml").symlink_to(tmp_path / "lakewarden.toml")
    assert surrounded(checkout, ON_MAIN)["released"] is None


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/main"}, (CI, "refs/heads/main", False)),
        ({"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "pull_request_target", "GITHUB_REF": "r"}, (CI, "r", True)),
        ({"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "merge_group"}, (CI, None, True)),
        ({"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "issue_comment"}, (CI, None, True)),
        ({"GITHUB_ACTIONS": "true"}, (CI, None, None)),
        ({"GITLAB_CI": "true", "CI_COMMIT_BRANCH": "main"}, (CI, "refs/heads/main", False)),
        ({"GITLAB_CI": "true", "CI_COMMIT_TAG": "main"}, (CI, "refs/tags/main", False)),
        ({"GITLAB_CI": "true", "CI_PIPELINE_SOURCE": "merge_request_event"}, (CI, None, True)),
        ({"GITLAB_CI": "true", "CI_PIPELINE_SOURCE": "external_pull_request_event"}, (CI, None, True)),
        ({"TF_BUILD": "True", "BUILD_SOURCEBRANCH": "refs/pull/5/merge"}, (CI, "refs/pull/5/merge", True)),
        ({"TF_BUILD": "True", "BUILD_SOURCEBRANCH": "refs/heads/main", "BUILD_REASON": "PullRequest"}, (CI, "refs/heads/main", True)),
        ({"TF_BUILD": "True", "BUILD_SOURCEBRANCH": "refs/heads/main"}, (CI, "refs/heads/main", False)),
        ({"CI": "true"}, (CI, None, None)),
        ({"DATABRICKS_RUNTIME_VERSION": "16.4"}, (JOB, None, False)),
        ({}, (TERMINAL, None, False)),
    ],
)  # fmt: skip
def test_the_place_by_the_variables_of_ci_systems(
    variables: dict[str, str], expected: tuple[str, str | None, bool | None]
) -> None:
    found = place_of(variables)
    assert (found.kind, found.ref, found.pull_request) == expected


# --- waivers ----------------------------------------------------------------------------------------------------------


def waived(number: int, rule: str, table: str, column: str, value: object, **more: Any) -> Outcome:
    """The outcome of a check that is not a pass, with a waiver."""
    told = story()
    told[table][0][column] = value
    asked = docket(told)
    about = {"reason": "until June", "owner": "ann", "approved_by": "bob", "expires": dt.date(2999, 1, 1), **more}
    policy = replace(asked.policy, waivers=(WaiverPolicy(rule=rule, subject="*", **about),))
    (check,) = (one for one in judge(asked._replace(policy=policy)).checks if one.number == number)
    return check.outcome


@pytest.mark.parametrize("value", [False, None])
def test_a_waiver_that_another_person_approved_is_heeded(value: bool | None) -> None:
    assert waived(14, "GATE014", "validations", "passed", value) is Outcome.WAIVED


@pytest.mark.parametrize(
    "more",
    [
        {"approved_by": "ann"}, {"approved_by": "Ann"}, {"approved_by": " ann "}, {"approved_by": None}, {"approved_by": " "},
        {"expires": None}, {"expires": dt.date(2026, 11, 22)}, {"starts": dt.date(2026, 11, 24)},
    ],
)  # fmt: skip
def test_a_waiver_that_nobody_else_approved_or_that_never_ends_is_none(more: dict[str, Any]) -> None:
    assert waived(14, "GATE014", "validations", "passed", False, **more) is Outcome.FAIL


@pytest.mark.parametrize("released", [False, None])
def test_a_policy_that_is_not_released_waives_nothing(released: bool | None) -> None:
    """Least of all that it is not: else whoever asks writes the waivers."""
    assert waived(1, "GATE001", "candidates", "policy_released", released) is not Outcome.WAIVED
    told = story()
    told["candidates"][0]["policy_released"] = released
    told["validations"][0]["passed"] = False
    asked = docket(told)
    waiver = WaiverPolicy(
        rule="GATE014", subject="*", reason="until June", owner="ann", approved_by="bob", expires=dt.date(2999, 1, 1)
    )
    checks = judge(asked._replace(policy=replace(asked.policy, waivers=(waiver,)))).checks
    assert checks[13].outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("number", "rule", "table", "column", "value"),
    [
        (2, "GATE002", "model_versions", "status", "PENDING_REGISTRATION"),
        (2, "pinned-version", "artifacts", "digest", None),
        (5, "GATE005", "artifacts", "same_run", False),
        (5, "own-bytes", "artifacts", "same_digest", False),
        (7, "DEP004", "branch_commits", "is_ancestor", False),
        (7, "DEP004", "branch_commits", "is_ancestor", None),
    ],
)
def test_bytes_and_commit_have_no_waiver(number: int, rule: str, table: str, column: str, value: object) -> None:
    expected = Outcome.MISSING if value is None else Outcome.FAIL
    assert waived(number, rule, table, column, value) is expected


@pytest.mark.parametrize("run", [None, "none"])
def test_a_version_of_no_run_is_described_by_none(run: str | None) -> None:
    """That it has a signature is the smaller half of it; the rule about its run has nothing to judge, and so says nothing."""
    told = story()
    told["model_versions"][0]["run"] = run
    outcomes = {check.number: check.outcome for check in judge(docket(told)).checks}
    assert {number: outcomes[number] for number in (4, 6, 7, 8, 9, 10, 11, 13)} == dict.fromkeys(
        (4, 6, 7, 8, 9, 10, 11, 13), Outcome.MISSING
    )


# --- the alias --------------------------------------------------------------------------------------------------------


def test_an_alias_that_moves_between_the_two_last_looks() -> None:
    """Whoever promotes at the same time is not overwritten: what was compared is what is swapped."""
    champion, looks = "1", 0

    def answer(asked: Any) -> Says:
        nonlocal champion, looks
        if asked.method == "POST":
            champion = json.loads(asked.body)["version"]
            return Says({})
        looks += 1
        said = Says({"registered_model": {"name": "churn", "aliases": [{"alias": "champion", "version": champion}]}})
        champion = "3" if looks == 2 else champion  # another gate, after our last comparison
        return said

    with serving(answer) as server:
        api = http.connect(server.url)
        estate = Estate(api, Facts(), frozenset(), Rights(api), "none")
        request = request_of("models:/churn/2", "production", ("champion",), server=True)
        watch(estate, str)
        ask_first(estate, "/api/2.0/mlflow/registered-models/get", {"name": "churn"}, family="mlflow-server", right="")
        moved = move(estate, request, "champion", "2")
    assert (moved.done, moved.changed, champion) == (False, True, "3")


@pytest.fixture(autouse=True)
def _no_settings_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("GIT_"):
            monkeypatch.delenv(name)
