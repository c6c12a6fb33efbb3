"""A real MLflow server with basic authentication, read as an admin and as somebody who may read less."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.running import lakewarden
from tests.sources.platform.mlflow.running import ADMIN, PASSWORD, Running, mlflow_server, train

from lakewarden.facts.fact import TABLES
from lakewarden.facts.gaps import Cause
from lakewarden.sources.platform.audit import Asked, Beside, collect
from lakewarden.sources.platform.mlflow.login import connect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.facts.collect import Facts

pytestmark = pytest.mark.slow
ALICE, BOB, SECRET = "alice", "bob", "a-long-password-of-a-user"
LISTS = ("models", "model_aliases", "model_versions", "registry_hooks", "experiments", "permissions", "principals", "runs")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    pytest.importorskip("flask_wtf", reason="needs mlflow[auth]")
    folder = tmp_path_factory.mktemp("mlflow")
    with mlflow_server(folder) as running:
        for name in (ALICE, BOB):
            running.ask("/api/2.0/mlflow/users/create", {"username": name, "password": SECRET})
        commit = train(running.url, folder / "churn")
        grant = {"username": ALICE, "resource_type": "experiment", "resource_id": "1", "permission": "EDIT"}
        running.ask("/api/3.0/mlflow/users/permissions/grant", grant)
        of_model = {"username": ALICE, "resource_type": "registered_model", "resource_id": "Churn", "permission": "EDIT"}
        running.ask("/api/3.0/mlflow/users/permissions/grant", of_model)
        for name, url in (("told", "https://example.com/hook"), ("open", "http://127.0.0.1:9/hook")):
            hook = {"name": name, "url": url, "events": [{"entity": "REGISTERED_MODEL", "action": "CREATED"}]}
            running.ask("/api/2.0/mlflow/webhooks", hook)
        yield running._replace(commit=commit)


def facts_of(server: Running, user: str, password: str) -> Facts:
    login = {"MLFLOW_TRACKING_USERNAME": user, "MLFLOW_TRACKING_PASSWORD": password}
    asked = Asked(server.url, lambda: connect(server.url, login))
    return collect([], frozenset(TABLES), beside=Beside(servers=(asked,))).facts


@pytest.fixture(scope="module")
def seen(server: Running) -> Facts:
    return facts_of(server, ADMIN, PASSWORD)


def rows(facts: Facts, table: str, *columns: str) -> set[tuple[Any, ...]]:
    return {tuple(row.__dict__.get(column) for column in columns) for row in facts.rows[table]}


def test_an_admin_sees_the_registry(server: Running, seen: Facts) -> None:
    at = server.url
    assert rows(seen, "models", "key", "name", "catalog", "registry") == {
        (f"{at}/Churn", "churn", "none", "workspace"),
        (f"{at}/copied", "copied", "none", "workspace"),
    }
    assert rows(seen, "model_aliases", "key", "version_key") == {(f"{at}/Churn@champion", f"{at}/Churn/1")}
    assert rows(seen, "model_versions", "key", "status", "copied_from", "has_signature", "run_workspace") == {
        (f"{at}/Churn/1", "READY", "none", True, at),
        (f"{at}/copied/1", "READY", f"{at}/Churn/1", None, at),
    }
    assert {key for key, *_ in rows(seen, "model_version_tags", "key")} == {f"{at}/Churn/1/approval", f"{at}/copied/1/approval"}
    assert rows(seen, "registry_hooks", "model_name", "tls_verified", "secret_literal") == {
        ("none", True, False),
        ("none", False, False),
    }
    assert {name for name, _, _ in seen.complete} >= set(LISTS)
    assert {gap.cause for gap in seen.gaps} == {Cause.UNRESOLVED}, "who approved"


def test_the_run_behind_the_champion_names_the_commit_it_was_logged_from(server: Running, seen: Facts) -> None:
    assert rows(seen, "runs", "workspace", "source_type", "job_run", "param_count", "metric_count") == {
        (server.url, "LOCAL", "none", 1, 1)
    }
    assert rows(seen, "commit_evidence", "rung", "commit", "dirty") == {
        ("run-tags", server.commit, None),
        *((rung, "none", None) for rung in ("git-snapshot", "deployment-record", "deployment-metadata", "launch-parameters")),
    }


def test_what_users_may_do_is_asked_with_the_default_that_no_call_tells(seen: Facts) -> None:
    assert rows(seen, "permissions", "object_name", "principal", "level") >= {
        ("/churn", "user:alice", "CAN_EDIT"),
        ("/churn", "user:bob", "CAN_READ"),
        ("Default", "user:alice", "CAN_READ"),
        ("/churn", "group:admins", "CAN_MANAGE"),
    }
    assert {(key.rpartition("/")[2], *more) for key, *more in rows(seen, "registry_rights", "model", "principal", "level")} == {
        *((name, "group:admins", "MANAGE") for name in ("Churn", "copied")),
        ("Churn", "user:alice", "EDIT"),
        ("copied", "user:alice", "READ"),
        *((name, "user:bob", "READ") for name in ("Churn", "copied")),
    }
    assert rows(seen, "principals", "principal") == {("user:admin",), ("user:alice",), ("user:bob",)}


def test_a_user_who_is_no_admin_sees_lists_that_are_not_whole(server: Running) -> None:
    facts = facts_of(server, ALICE, SECRET)
    assert rows(facts, "models", "name") == {("churn",), ("copied",)}
    at = (("models", server.url), ("experiments", server.url), ("registry_hooks", server.url))
    assert {(gap.facts, gap.parent) for gap in facts.gaps if gap.cause is Cause.REFUSED} >= set(at)
    whole = {(name, scope.parent) for name, _, scope in facts.complete}
    assert whole.isdisjoint(at)
    assert not [name for name, _ in whole if name == "permissions"], "the roles of others were blanked"


@pytest.mark.parametrize(("user", "password"), [(ADMIN, "wrong-password-of-a-test"), ("", "")])
def test_a_login_that_fails_is_a_gap_for_everything(server: Running, user: str, password: str) -> None:
    facts = facts_of(server, user, password)
    assert not facts.rows["models"]
    assert {gap.facts for gap in facts.gaps if gap.cause is Cause.REFUSED} >= {
        "models",
        "experiments",
        "registry_hooks",
        "permissions",
    } - {"permissions"}
    assert {name for name, _, _ in facts.complete}.isdisjoint({"models", "experiments", "registry_hooks", "principals"})


def test_the_audit_knows_which_environment_the_server_is(server: Running, tmp_path: Any) -> None:
    policy = f'unity_catalog = "no"\n[environments.production]\nworkspaces = ["{server.url}"]\n'
    (tmp_path / "lakewarden.toml").write_text(policy, encoding="utf-8")
    login = {"MLFLOW_TRACKING_USERNAME": ADMIN, "MLFLOW_TRACKING_PASSWORD": PASSWORD}
    asked = ("--select", "TRK006,DEP005,TRK007,REG006,REG011", "--output-format", "json", "--show", "unknown,advisory")
    live = lakewarden(tmp_path, "audit", "--mlflow", server.url, *asked, **login)
    told = {(f["code"], f["subject"].removeprefix(f"{server.url}/"), f["environment"]) for f in live.json["findings"]}
    assert ("TRK006", "experiments/1/user:alice/CAN_EDIT", "production") in told
    assert ("DEP005", "Churn/1", "production") in told
    assert {one for one in told if one[0] == "REG006"} == {("REG006", "Churn", "production")}, "of the other nobody may edit"
    assert not [code for code, _, _ in told if code == "TRK007"]
    assert [code for code, _, _ in told].count("REG011") == 1
    assert live.code == 1
    assert PASSWORD not in live.out + live.err
    collected = lakewarden(tmp_path, "collect", "--mlflow", server.url, "-o", "estate.snap", **login)
    assert collected.code == 0, collected.out
    again = lakewarden(tmp_path, "audit", "--snapshot", "estate.snap", *asked)
    assert [f["subject"] for f in again.json["findings"]] == [f["subject"] for f in live.json["findings"]]
