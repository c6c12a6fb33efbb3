"""Models, versions, aliases, tags and endpoints: complete, or said to be incomplete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.contract import Estate, Pages, faults, serve
from tests.live import facts_of, verdicts
from tests.sources.platform.databricks.learning import KEY, MODEL, WANTED, learning, policy_of, reasons, rows, told, verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.contract import Server

    from lakewarden.facts.collect import Facts

RULES = ("REG001", "REG005", "REG008", "REG010", "REG011", "REG012", "TRK007", "DEP002", "DEP007")
VERSION = f"{KEY}/2"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve(learning(version={"tags": {"owner": "churn"}})) as running:
        yield running


@pytest.fixture(scope="module")
def facts(server: Server) -> Facts:
    return facts_of(server, wanted=WANTED)


def of(estate: Estate) -> tuple[Facts, Server]:
    with serve(estate) as running:
        return facts_of(running, wanted=WANTED), running


def test_a_model_is_read_with_its_aliases_and_versions(facts: Facts, server: Server) -> None:
    assert rows(facts, "models")[KEY] == {"name": MODEL, "catalog": "prod", "target": None, "registry": "unity_catalog"}
    assert rows(facts, "model_aliases") == {
        f"{KEY}@champion": {"model": KEY, "catalog": "prod", "alias": "champion", "version_key": VERSION}
    }
    version = rows(facts, "model_versions")[VERSION]
    assert version["run"] == f"{server.url}/run-1"
    assert version["run_workspace"] == server.url
    assert (version["copied_from"], version["has_signature"], version["has_description"]) == ("none", True, True)
    assert told(facts, "models") == told(facts, "model_aliases") == told(facts, "model_versions") == set()


def test_everything_that_rules_ask_of_a_good_model_is_there(facts: Facts, server: Server) -> None:
    found = verdicts(facts, policy_of(server), RULES)
    assert {found[code, "model_versions", VERSION] for code in ("REG012", "TRK007", "DEP002", "DEP007")} == {"pass"}
    assert found["REG005", "models", KEY] == found["REG001", "models", KEY] == "pass"
    assert found["REG010", "served_entities", f"{server.url}/churn/0"] == "pass"


def test_a_version_that_nothing_names_costs_no_request_of_its_own(server: Server) -> None:
    server.log.clear()
    facts_of(server, wanted=WANTED)
    assert not [one for one in server.asked() if one.path.endswith("/1/MLmodel") or one.query.get("version") == "1"]


def test_a_catalog_that_is_bound_elsewhere_hides_its_models() -> None:
    estate = learning()
    estate.catalog("prod", isolation_mode="ISOLATED", bindings=[2222222222222222])
    facts, running = of(estate)
    assert ("refused", "metastore-1/prod") in told(facts, "models")
    found = verdicts(facts, policy_of(running), RULES)
    assert found["REG001", "models", "metastore-1/prod/?models"] == "unknown"


@pytest.mark.parametrize(
    ("path", "table", "parent"),
    [
        ("/api/2.1/unity-catalog/models", "models", "metastore-1/prod"),
        (f"/api/2.1/unity-catalog/models/{MODEL}", "model_aliases", KEY),
        (f"/api/2.1/unity-catalog/models/{MODEL}/versions", "model_versions", KEY),
        ("/api/2.0/mlflow/unity-catalog/model-versions/get", "model_version_tags", VERSION),
        ("/api/2.0/serving-endpoints/churn", "served_entities", "SERVER"),
        ("/api/2.0/serving-endpoints", "served_entities", "SERVER"),
        ("/api/2.0/mlflow/registered-models/search", "models", "SERVER"),
        ("/api/2.0/mlflow/registry-webhooks/list", "registry_hooks", "SERVER"),
    ],
)
def test_a_list_that_is_refused_is_a_gap_and_no_verdict_becomes_better(
    server: Server, facts: Facts, path: str, table: str, parent: str
) -> None:
    before = verdicts(facts, policy_of(server), RULES)
    server.faults.add("GET", path, faults.refused())
    try:
        after = facts_of(server, wanted=WANTED)
        assert server.faults.unused == []
    finally:
        server.faults.clear()
    assert ("refused", parent.replace("SERVER", server.url)) in told(after, table)
    now = verdicts(after, policy_of(server), RULES)
    worse = {
        at: verdict for at, verdict in now.items() if verdict != "unknown" and "?" not in at[2] and before.get(at) != verdict
    }
    assert worse == {}
    assert "unknown" in now.values()


def test_without_the_model_file_the_signature_is_not_known(server: Server) -> None:
    server.faults.add("GET", "/api/2.0/fs/files{}", faults.refused())
    try:
        facts = facts_of(server, wanted=WANTED)
    finally:
        server.faults.clear()
    assert rows(facts, "model_versions")[VERSION]["has_signature"] is None
    assert "403" in reasons(facts, "model_versions")[VERSION]
    assert verdict(facts, policy_of(server), "TRK007", "model_versions", VERSION) == "unknown"


@pytest.mark.parametrize(
    ("mlmodel", "expected"), [("run_id: a\n", "fail"), ("signature: {inputs: '[]'}\n", "pass"), ("[", "unknown")]
)
def test_the_signature_stands_in_the_model_file(mlmodel: str, expected: str) -> None:
    facts, running = of(learning(version={"mlmodel": mlmodel}))
    assert verdict(facts, policy_of(running), "TRK007", "model_versions", VERSION) == expected


def test_who_may_only_browse_sees_no_aliases_and_passes_nothing() -> None:
    estate = learning()
    reader = estate.user("reader@example.com")
    estate.grant("catalog", "prod", "reader@example.com", ["BROWSE", "USE_CATALOG", "USE_SCHEMA"])
    with serve(estate) as running:
        facts = facts_of(running, reader, WANTED)
    assert list(rows(facts, "models")) == [KEY]
    assert told(facts, "model_aliases") == {("refused", KEY)}
    assert ("refused", KEY) in told(facts, "model_versions")
    remedies = {gap.remedy for gap in facts.gaps if gap.facts == "model_aliases"}
    assert remedies == {f"grant EXECUTE on the model {MODEL}"}
    assert "pass" not in {v for (code, _, _), v in verdicts(facts, policy_of(running), RULES).items() if code != "REG001"}


def test_who_is_no_admin_is_shown_endpoints_and_hooks_in_part() -> None:
    estate = learning()
    guest = estate.principals["guest@example.com"]
    with serve(estate) as running:
        facts = facts_of(running, guest, WANTED)
        for table in ("served_entities", "registry_hooks", "experiments"):
            assert ("refused", running.url) in told(facts, table)
        assert any("group admins" in gap.remedy for gap in facts.gaps if gap.facts == "experiments")
        found = verdicts(facts, policy_of(running), RULES)
    assert "pass" not in found.values()
    assert "fail" not in found.values()


@pytest.mark.parametrize(
    ("version", "rule", "expected"),
    [
        ({"source": "models:/dev.ml.churn/4"}, "DEP002", "fail"),
        ({"source": "models:/prod.ml.other/4"}, "DEP002", "pass"),
        ({"source": "models:/dev.ml.churn@champion"}, "DEP002", "fail"),
        ({"source": "models:/churn/4"}, "DEP002", "unknown"),
        ({"source": "models://profile@databricks-uc/dev.ml.churn/4"}, "DEP002", "fail"),
        ({"source": "models://databricks-uc/m-0123"}, "DEP002", "pass"),
        ({"source": "models:/dev.ml.churn"}, "DEP002", "unknown"),
        ({"source": ""}, "DEP002", "unknown"),
        ({"source": "dbfs:/databricks/mlflow/x"}, "DEP002", "pass"),
        ({"run_workspace_id": 2222222222222222}, "DEP002", "unknown"),
        ({"run_workspace_id": 2222222222222222}, "DEP007", "unknown"),
        ({"comment": ""}, "REG012", "fail"),
        ({"tags": {}}, "REG012", "fail"),
        ({"status": "FAILED_REGISTRATION"}, "REG012", "fail"),
    ],
)
def test_where_a_version_comes_from_decides(version: Mapping[str, Any], rule: str, expected: str) -> None:
    facts, running = of(learning(version=version))
    assert verdict(facts, policy_of(running), rule, "model_versions", VERSION) == expected


def test_a_missing_link_to_the_workspace_is_no_pass() -> None:
    estate = learning()
    estate.model(MODEL, versions=[{}, {"run_id": "run-1", "source": "models:/m-1", "comment": "x"}], aliases={"champion": 2})
    facts, running = of(estate)
    assert rows(facts, "model_versions")[VERSION]["run"] == "?/run-1"
    assert "in which workspace" in reasons(facts, "model_versions")[VERSION]
    assert told(facts, "runs") == {("unresolved", VERSION)}
    for rule in ("DEP002", "DEP004", "DEP005", "DEP007"):
        assert verdict(facts, policy_of(running), rule, "model_versions", VERSION) == "unknown"


def test_a_champion_that_is_not_ready_fails() -> None:
    facts, running = of(learning(version={"status": "FAILED_REGISTRATION"}))
    assert verdict(facts, policy_of(running), "REG005", "models", KEY) == "fail"


def test_an_approval_that_came_with_a_copy_is_no_approval() -> None:
    estate = learning(version={"source": "models:/dev.ml.churn/1", "tags": {"Approval_Check": "Approved", "approved_by": "bob"}})
    estate.model("dev.ml.churn", versions=[{"tags": {"Approval_Check": "Approved"}}])
    facts, running = of(estate)
    inherited = {row["name"]: row["inherited"] for row in rows(facts, "model_version_tags").values() if row["is_approval"]}
    assert inherited == {"Approval_Check": True, "approved_by": False}
    policy = policy_of(running)
    assert verdict(facts, policy, "REG008", "model_version_tags", f"{VERSION}/Approval_Check") == "fail"
    assert verdict(facts, policy, "REG008", "model_version_tags", f"{VERSION}/approved_by") == "unknown"


def test_an_approval_on_a_copy_of_something_hidden_is_not_known_to_be_its_own() -> None:
    facts, running = of(learning(version={"source": "models:/gone.ml.churn/1", "tags": {"Approval_Check": "Approved"}}))
    assert rows(facts, "model_version_tags")[f"{VERSION}/Approval_Check"]["inherited"] is None
    assert verdict(facts, policy_of(running), "REG008", "model_version_tags", f"{VERSION}/Approval_Check") == "unknown"


def entity(version: str = "2", name: str = MODEL, **more: Any) -> dict[str, Any]:
    return {"name": f"e{version}", "entity_name": name, "entity_version": version, **more}


BOTH = [{"served_model_name": "e1", "traffic_percentage": 90}, {"served_model_name": "e2", "traffic_percentage": 10}]
ONE = [{"served_model_name": "e1", "traffic_percentage": 100}, {"served_model_name": "e2", "traffic_percentage": 0}]


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ({"config": {"served_entities": [entity("1")]}}, "fail"),
        ({"config": {"served_entities": [entity("1"), entity("2")], "traffic_config": {"routes": BOTH}}}, "pass"),
        ({"config": {"served_entities": [entity("1"), entity("2")], "traffic_config": {"routes": ONE}}}, "fail"),
        ({"config": {"served_entities": [entity("1"), entity("2")]}}, "unknown"),
        ({"config": {"served_entities": [entity("1")]}, "tags": [{"key": "role", "value": "challenger"}]}, "pass"),
        ({"config": {"served_entities": [entity("1")]}, "state": {"ready": "READY", "config_update": "IN_PROGRESS"}}, "pass"),
        ({"config": {"served_entities": [entity("1")]}, "state": {"ready": "READY"}}, "unknown"),
        ({"config": {"served_entities": [entity("1", "dev.ml.churn")]}}, "fail"),
        ({"config": {"served_entities": [entity("1", "churn")]}}, "fail"),
        ({"config": {"served_entities": [{"name": "f", "foundation_model": {"name": "llama"}}]}}, "not applicable"),
        ({"config": {"served_entities": [{"name": "s", "entity_name": "prod.ml.features"}]}}, "not applicable"),
    ],
)
def test_an_endpoint_serves_the_champion_or_says_why_not(endpoint: dict[str, Any], expected: str) -> None:
    facts, running = of(learning(endpoint=endpoint))
    assert verdict(facts, policy_of(running), "REG010", "served_entities", f"{running.url}/churn/0") == expected


def test_an_endpoint_that_does_not_say_what_it_serves_leaves_open_which_versions_are_live() -> None:
    facts, running = of(learning(endpoint={"config": {"served_entities": [{"name": "x", "entity_name": "churn"}]}}))
    assert "does not say which version" in reasons(facts, "served_entities")[f"{running.url}/churn/0"]
    assert verdict(facts, policy_of(running), "REG012", "model_versions", f"{KEY}/1") == "unknown"


def test_an_endpoint_without_configuration_leaves_open_which_versions_are_live() -> None:
    found, server = of(learning(endpoint={"config": {}}))
    assert told(found, "served_entities") == {("failed", server.url)}
    assert verdict(found, policy_of(server), "REG012", "model_versions", f"{KEY}/1") == "unknown"


def test_an_endpoint_that_is_being_made_serves_nothing_yet() -> None:
    pending = {"served_entities": [{"name": "churn", "entity_name": MODEL, "entity_version": "2"}]}
    found, _ = of(learning(endpoint={"config": {}, "pending_config": pending}))
    assert told(found, "served_entities") == set()


def test_a_version_is_in_use_by_an_endpoint_alone() -> None:
    facts, _ = of(learning(endpoint={"config": {"served_entities": [entity("1")]}}))
    assert rows(facts, "model_versions")[f"{KEY}/1"]["has_signature"] is True


def test_the_size_of_pages_and_the_order_of_seeds_change_nothing() -> None:
    found = []
    for turn, pages in ((1, Pages()), (-1, Pages(size=1)), (1, Pages(size=100))):
        estate = learning()
        for name in ("a", "b", "c")[::turn]:
            estate.model(f"prod.ml.{name}", versions=[{"source": "models:/m-1"}], aliases={"champion": 1, "blue": 1})
            estate.legacy_model(name, id=name, versions=[{"current_stage": "Production"}])
            estate.experiment(name, f"/Shared/{name}")
            estate.endpoint(f"serves-{name}", id=name, config={"served_entities": [entity("1", f"prod.ml.{name}")]})
        with serve(estate, pages) as running:
            facts = facts_of(running, wanted=WANTED)
            found.append({table: str(sorted(rows(facts, table).items())).replace(running.url, "W") for table in sorted(WANTED)})
    assert found[0] == found[1] == found[2]


def test_a_second_page_that_is_refused_leaves_the_list_open(server: Server) -> None:
    path = f"/api/2.1/unity-catalog/models/{MODEL}/versions"
    server.faults.add("GET", path, faults.refused(), nth=2)
    try:
        facts = facts_of(server, wanted=WANTED)
        assert server.faults.unused == []
    finally:
        server.faults.clear()
    assert ("refused", KEY) in told(facts, "model_versions")


def test_a_list_of_models_that_leads_to_itself_is_cut_and_told(server: Server) -> None:
    server.faults.add("GET", "/api/2.1/unity-catalog/models", faults.same_token())
    try:
        facts = facts_of(server, wanted=WANTED)
    finally:
        server.faults.clear()
    assert ("truncated", "metastore-1/prod") in told(facts, "models")
