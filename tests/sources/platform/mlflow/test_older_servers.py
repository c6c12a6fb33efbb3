"""Real MLflow servers before 3.13, each in an environment of its own: their permissions are told by another API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.environments import environment
from tests.running import lakewarden
from tests.sources.platform.mlflow.running import ADMIN, PASSWORD, Running, mlflow_server

from lakewarden.facts.fact import TABLES
from lakewarden.facts.gaps import Cause
from lakewarden.sources.platform.audit import Asked, Beside, collect
from lakewarden.sources.platform.mlflow.login import connect

if TYPE_CHECKING:
    from pathlib import Path

    from lakewarden.facts.collect import Facts

pytestmark = pytest.mark.slow
ALICE, BOB, CAROL, SECRET = "alice", "bob", "carol", "a-long-password-of-a-user"
LISTS = {"models", "model_aliases", "model_versions", "registry_hooks", "experiments"}
V2, V3 = "/api/2.0/mlflow", "/api/3.0/mlflow"


def seed(server: Running) -> None:
    for name in (ALICE, BOB, CAROL):
        server.ask(f"{V2}/users/create", {"username": name, "password": SECRET})
    for name in ("/churn", "/open"):
        server.ask(f"{V2}/experiments/create", {"name": name})
    for name in ("Churn", "secret"):
        server.ask(f"{V2}/registered-models/create", {"name": name})
    for name, source in (("secret", "s3://bucket/secret"), ("Churn", "models:/secret/1"), ("Churn", "s3://bucket/churn")):
        server.ask(f"{V2}/model-versions/create", {"name": name, "source": source})
    server.ask(f"{V2}/registered-models/alias", {"name": "Churn", "alias": "champion", "version": "2"})
    server.ask(f"{V2}/experiments/permissions/create", {"experiment_id": "1", "username": ALICE, "permission": "EDIT"})
    server.ask(f"{V2}/registered-models/permissions/create", {"name": "Churn", "username": BOB, "permission": "MANAGE"})
    hidden = {"name": "secret", "username": BOB, "permission": "NO_PERMISSIONS"}
    server.ask(f"{V2}/registered-models/permissions/create", hidden)


def facts_of(url: str, user: str = ADMIN, password: str = PASSWORD) -> Facts:
    login = {"MLFLOW_TRACKING_USERNAME": user, "MLFLOW_TRACKING_PASSWORD": password}
    asked = Asked(url, lambda: connect(url, login))
    return collect([], frozenset(TABLES), beside=Beside(servers=(asked,))).facts


def whole(facts: Facts) -> set[str]:
    """The tables of which every list was read to its end."""
    gaps = {gap.facts for gap in facts.gaps if not gap.value}
    return {name for name, _, _ in facts.complete} - gaps


def rows(facts: Facts, table: str, *columns: str) -> set[tuple[Any, ...]]:
    return {tuple(row.__dict__.get(column) for column in columns) for row in facts.rows[table]}


def said(server: Running, folder: Path, code: str) -> dict[str, str]:
    """What `lakewarden audit` says by one rule of each object, where that is no pass."""
    policy = f'unity_catalog = "no"\n[environments.production]\nworkspaces = ["{server.url}"]\n'
    (folder / "lakewarden.toml").write_text(policy, encoding="utf-8")
    login = {"MLFLOW_TRACKING_USERNAME": ADMIN, "MLFLOW_TRACKING_PASSWORD": PASSWORD}
    asked = ("--select", code, "--output-format", "json", "--show", "unknown")
    ran = lakewarden(folder, "audit", "--mlflow", server.url, *asked, **login)
    assert PASSWORD not in ran.out + ran.err
    assert ran.out, ran.err
    return {f["subject"].removeprefix(f"{server.url}/"): f["verdict"] for f in ran.json["findings"]}


def must_not_be_whole_for_others(server: Running) -> None:
    """What a user who is no admin sees, and one with a wrong password."""
    facts = facts_of(server.url, BOB, SECRET)
    assert rows(facts, "models", "name") == {("churn",)}
    assert rows(facts, "experiments", "path") == {("/churn",), ("/open",), ("Default",)}
    assert whole(facts).isdisjoint({"models", "experiments", "registry_hooks", "permissions", "principals"})
    assert {gap.cause for gap in facts.gaps if gap.facts in ("models", "experiments", "permissions")} == {Cause.REFUSED}
    facts = facts_of(server.url, ADMIN, "wrong-password-of-a-test")
    assert not facts.rows["models"]
    assert whole(facts).isdisjoint({*LISTS, "permissions", "principals"} - {"model_aliases", "model_versions"})


def test_before_3_10_an_admin_sees_everything_but_who_the_users_are(tmp_path: Path) -> None:
    # Releases of SQLAlchemy that came later lack what this one of MLflow imports.
    programs = environment(tmp_path / "programs", "mlflow==2.22.0", "Flask-WTF", "sqlalchemy<2.1")
    with mlflow_server(tmp_path, programs=programs) as server:
        seed(server)
        facts = facts_of(server.url)
        assert rows(facts, "models", "name") == {("churn",), ("secret",)}
        assert rows(facts, "model_versions", "copied_from") == {(f"{server.url}/secret/1",), ("none",)}
        assert rows(facts, "model_aliases", "version_key") == {(f"{server.url}/Churn/2",)}
        assert whole(facts) >= LISTS, "an admin is told to be one"
        assert whole(facts).isdisjoint({"permissions", "principals"})
        assert not facts.rows["permissions"]
        told = {(gap.cause, gap.reason) for gap in facts.gaps if gap.facts == "permissions"}
        assert told == {(Cause.REFUSED, f"{server.url} lists its users to nobody: MLflow 2.22.0 has no such call")}
        assert said(server, tmp_path, "TRK006") == {f"experiments/{number}/?permissions": "unknown" for number in range(3)}
        must_not_be_whole_for_others(server)


def test_before_3_13_the_default_permission_alone_is_not_told(tmp_path: Path) -> None:
    programs = environment(tmp_path / "programs", "mlflow[auth]==3.12.0")
    with mlflow_server(tmp_path, programs=programs, prefix="/ml") as server:
        seed(server)
        role = server.ask(f"{V3}/roles/create", {"name": "stewards", "workspace": "default"})["role"]["id"]
        grant = {"role_id": role, "resource_type": "experiment", "resource_pattern": "*", "permission": "EDIT"}
        server.ask(f"{V3}/roles/permissions/add", grant)
        server.ask(f"{V3}/roles/assign", {"username": CAROL, "role_id": role})
        facts = facts_of(server.url)
        assert whole(facts) >= {*LISTS, "permissions", "principals"}
        everywhere = {("group:admins", "CAN_MANAGE"), ("user:carol", "CAN_EDIT"), ("everyone:users", None)}
        assert rows(facts, "permissions", "object_name", "principal", "level") == {
            *((name, *one) for name in ("Default", "/churn", "/open") for one in everywhere),
            ("/churn", "user:alice", "CAN_EDIT"),
        }
        on_models = {("group:admins", "MANAGE"), ("everyone:users", None)}
        assert {
            (key.rpartition("/")[2], *more) for key, *more in rows(facts, "registry_rights", "model", "principal", "level")
        } == {
            *((name, *one) for name in ("Churn", "secret") for one in on_models),
            ("Churn", "user:bob", "MANAGE"),
        }
        assert rows(facts, "principals", "principal") == {(f"user:{name}",) for name in (ADMIN, ALICE, BOB, CAROL)}
        assert said(server, tmp_path, "TRK006") == {
            "experiments/1/user:alice/CAN_EDIT": "fail",
            **{f"experiments/{number}/user:carol/CAN_EDIT": "fail" for number in range(3)},
            **{f"experiments/{number}/everyone:users/default": "unknown" for number in range(3)},
        }
        must_not_be_whole_for_others(server)
