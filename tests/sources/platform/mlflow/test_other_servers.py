"""MLflow servers of other versions and settings, by what their calls are known to answer."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from tests.sources.platform.wire.serving import Asked as Request
from tests.sources.platform.wire.serving import Says, Server, free_port, serving

from lakewarden.errors import UsageError
from lakewarden.facts.fact import TABLES
from lakewarden.facts.gaps import Cause
from lakewarden.sources.platform.audit import Asked, Beside, collect
from lakewarden.sources.platform.mlflow.login import connect
from lakewarden.sources.platform.wire.api import Options

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.facts.collect import Facts

LOGIN = {"MLFLOW_TRACKING_USERNAME": "admin", "MLFLOW_TRACKING_PASSWORD": "a-password-of-a-test"}
API = "/api/2.0/mlflow"
UNKNOWN_ROUTE = Says(b"<!doctype html><title>404 Not Found</title>", 404)
UNKNOWN_USER = Says({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "User with username= not found"}, 404)


def of_server(version: str, **more: Any) -> dict[str, Any]:
    model = {"name": "churn", "aliases": [{"alias": "champion", "version": "1"}]}
    prompt = {"name": "greeting", "tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}]}
    routes: dict[str, Any] = {
        "/health": Says(b"OK"),
        "/version": Says(version.encode()),
        f"{API}/registered-models/search": {"registered_models": [model, prompt]},
        f"{API}/registered-models/get": {"registered_model": model},
        f"{API}/model-versions/search": {"model_versions": [{"name": "churn", "version": "1", "status": "READY"}]},
        f"{API}/experiments/search": {"experiments": [{"experiment_id": "1", "name": "/churn"}]},
    }
    if version >= "3.10":
        routes["/api/3.0/mlflow/server-info"] = {"workspaces_enabled": False}
    return {**routes, **more}


@contextmanager
def server(routes: dict[str, Any]) -> Iterator[Server]:
    def answer(asked: Request) -> Says:
        found = routes.get(asked.path, UNKNOWN_ROUTE)
        return found if isinstance(found, Says) else Says(found)

    with serving(answer) as running:
        yield running


def facts_of(url: str, login: dict[str, str] | None = None) -> Facts:
    quick = Options(sleep=lambda _seconds: None)
    asked = Asked(url, lambda: connect(url, LOGIN if login is None else login, quick))
    return collect([], frozenset(TABLES), beside=Beside(servers=(asked,))).facts


def whole(facts: Facts) -> set[str]:
    return {name for name, _, _ in facts.complete}


def test_a_server_that_asks_nobody_lets_everybody_edit() -> None:
    with server(of_server("2.22.0")) as running:
        facts = facts_of(running.url, {})
    assert [row.__dict__["name"] for row in facts.rows["models"]] == ["churn"], "a prompt is no model"
    assert [(row.__dict__["principal"], row.__dict__["level"]) for row in facts.rows["permissions"]] == [
        ("everyone:anybody", "CAN_MANAGE")
    ]
    assert whole(facts) >= {"models", "experiments", "permissions", "registry_hooks", "principals"}, "2.22 has no webhooks"


def test_a_login_before_a_server_without_users_hides_who_may_edit() -> None:
    routes = of_server("2.22.0")

    def answer(asked: Request) -> Says:
        found = routes.get(asked.path, UNKNOWN_ROUTE) if "authorization" in asked.headers else Says({}, 401)
        return found if isinstance(found, Says) else Says(found)

    with serving(answer) as running:
        facts = facts_of(running.url)
    assert whole(facts) >= {"models", "experiments"}, "MLflow hides nothing from whom it does not know"
    assert whole(facts).isdisjoint({"permissions", "principals"})
    assert not facts.rows["permissions"]


def test_a_server_before_3_13_lists_its_users_to_nobody() -> None:
    with server(of_server("3.12.0", **{f"{API}/users/get": UNKNOWN_USER, f"{API}/webhooks": {}})) as running:
        facts = facts_of(running.url)
    assert whole(facts).isdisjoint({"permissions", "principals", "models", "experiments"}), "who we are is not told either"
    told = [gap for gap in facts.gaps if gap.facts == "permissions"]
    assert told
    assert "3.13" in told[0].remedy


@pytest.mark.parametrize("status", [403, 500])
def test_webhooks_that_are_refused_are_a_gap(status: int) -> None:
    with server(of_server("3.17.0", **{f"{API}/webhooks": Says({"message": "no"}, status)})) as running:
        facts = facts_of(running.url, {})
    assert "registry_hooks" not in whole(facts)
    with server(of_server("3.17.0")) as running:
        facts = facts_of(running.url, {})
    assert "registry_hooks" not in whole(facts), "a version that has webhooks and does not show them"


def test_a_server_with_workspaces_of_its_own_shows_one_of_them() -> None:
    with server(of_server("3.17.0", **{"/api/3.0/mlflow/server-info": {"workspaces_enabled": True}})) as running:
        facts = facts_of(running.url, {})
    assert "models" not in whole(facts)
    assert Cause.TRUNCATED in {gap.cause for gap in facts.gaps if gap.facts == "models"}


@pytest.mark.parametrize("answer", [UNKNOWN_ROUTE, Says({"message": "no"}, 500), Says(b"<html></html>")])
def test_a_server_that_does_not_say_whether_it_has_workspaces_may_have_some(answer: Says) -> None:
    with server(of_server("3.17.0", **{"/api/3.0/mlflow/server-info": answer})) as running:
        facts = facts_of(running.url, {})
    assert whole(facts).isdisjoint({"models", "experiments", "permissions"})


def test_a_server_that_does_not_tell_its_version_nor_itself_to_others_is_no_mlflow() -> None:
    with server({"/health": Says(b"OK")}) as running:
        facts = facts_of(running.url, {})
    assert {"models", "experiments", "permissions", "principals"}.isdisjoint(whole(facts))
    assert [gap.reason for gap in facts.gaps if "has no API of MLflow" in gap.reason]


USERS = {"users": [{"id": 1, "username": "admin"}, {"id": 2, "username": "alice"}]}


def of_3_11(**more: Any) -> dict[str, Any]:
    """A server that lists its users and has no roles; what it tells of each is the same."""
    grants = [{"experiment_id": "1", "permission": "EDIT", "user_id": 2}]
    user = {"username": "alice", "is_admin": False, "experiment_permissions": grants, "registered_model_permissions": []}
    return of_server("3.11.1", **{f"{API}/users/list": USERS, f"{API}/users/get": {"user": user}, f"{API}/webhooks": {}, **more})


def test_grants_of_users_are_told_one_by_one_before_roles() -> None:
    with server(of_3_11()) as running:
        facts = facts_of(running.url)
    levels = {(row.__dict__["principal"], row.__dict__["level"]) for row in facts.rows["permissions"]}
    assert levels == {("group:admins", "CAN_MANAGE"), ("user:admin", "CAN_EDIT"), ("user:alice", "CAN_EDIT")}, (
        "no default is left"
    )
    assert whole(facts) >= {"permissions", "principals", "models", "registry_rights"}


def test_grants_on_a_model_count_for_that_model_alone() -> None:
    grants = [{"name": "churn", "permission": "EDIT"}, {"name": "hidden", "permission": "NO_PERMISSIONS"}]
    user = {"username": "alice", "is_admin": False, "experiment_permissions": [], "registered_model_permissions": grants}
    models = {"registered_models": [{"name": "churn"}, {"name": "hidden"}]}
    more = {f"{API}/users/list": {"users": [{"username": "alice"}]}, f"{API}/users/get": {"user": user}}
    more |= {f"{API}/registered-models/search": models, f"{API}/registered-models/get": {"registered_model": {}}}
    with server(of_3_11(**more)) as running:
        facts = facts_of(running.url)
    found = {(row.__dict__["model"].rpartition("/")[2], row.__dict__["principal"]) for row in facts.rows["registry_rights"]}
    assert found == {("churn", "group:admins"), ("hidden", "group:admins"), ("churn", "user:alice")}


@pytest.mark.parametrize(
    "more",
    [
        {f"{API}/users/get": Says({"error_code": "PERMISSION_DENIED"}, 403)},
        {f"{API}/users/get": {"user": {"username": "alice"}}},
        {
            f"{API}/users/get": {
                "user": {"is_admin": False, "experiment_permissions": [{"experiment_id": "1", "permission": "OWN"}]}
            }
        },
        {"/api/3.0/mlflow/users/roles/list": Says({"error_code": "INTERNAL_ERROR"}, 500)},
        {f"{API}/users/list": Says({}, 403)},
        {f"{API}/users/list": {"users": [{"username": "alice", "roles": []}]}},
    ],
)
def test_a_user_of_whom_not_all_is_told_leaves_the_permissions_a_gap(more: dict[str, Any]) -> None:
    with server(of_3_11(**more)) as running:
        facts = facts_of(running.url)
    assert {"permissions", "registry_rights"}.isdisjoint(whole(facts))
    assert not [*facts.rows["permissions"], *facts.rows["registry_rights"]]


def test_a_role_that_is_not_known_is_no_permission() -> None:
    users = {"users": [{"username": "alice", "is_admin": False, "roles": []}]}
    routes = of_server(
        "3.20.0",
        **{
            f"{API}/users/current": {"user": {"username": "admin", "is_admin": True}},
            f"{API}/users/list": users,
            "/api/3.0/mlflow/users/permissions/get": {"permission": "REWRITE"},
        },
    )
    with server(routes) as running:
        facts = facts_of(running.url)
    assert "permissions" not in whole(facts)
    assert {gap.cause for gap in facts.gaps if gap.facts == "permissions"} == {Cause.FAILED}


def test_a_dead_server_leaves_a_gap_for_all_that_it_has() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    facts = facts_of(url)
    assert {gap.facts for gap in facts.gaps} >= {"models", "experiments", "registry_hooks", "principals", "jobs"}
    assert {gap.cause for gap in facts.gaps} == {Cause.UNREACHABLE}
    assert [row.key for row in facts.rows["workspaces"]] == [url]


def test_a_password_does_not_travel_in_the_clear() -> None:
    with pytest.raises(UsageError, match="not https"):
        connect("http://mlflow.example.com", LOGIN)
