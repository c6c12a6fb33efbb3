"""A server of open-source Unity Catalog, read as an owner of its metastore, as others, and without authorization."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.contract.unity_oss import Seeds, UnityServer, serve
from tests.live import verdicts
from tests.running import inside
from tests.sources.platform.wire.serving import Says, free_port

from lakewarden.errors import UsageError
from lakewarden.facts.fact import TABLES
from lakewarden.facts.gaps import Cause
from lakewarden.sources.platform.audit import Asked, Beside, collect
from lakewarden.sources.platform.unity_oss.login import FAMILY, connect
from lakewarden.sources.platform.wire.api import Options
from lakewarden.sources.platform.wire.limiter import Limiter

if TYPE_CHECKING:
    from pathlib import Path

    from lakewarden.facts.collect import Facts

UNITY = "/api/2.1/unity-catalog"
ANN, CAT = "ann@example.com", "cat@example.com"
LISTS = {"catalogs", "schemas", "catalog_tables", "models", "model_versions", "external_locations", "grants", "principals"}


def estate(*, authorization: bool = True) -> Seeds:
    seeds = Seeds(authorization=authorization)
    for catalog in ("dev", "prod"):
        seeds.add("catalog", catalog, storage_root=f"s3://{catalog}")
        for schema in ("churn", "raw"):
            seeds.add("schema", f"{catalog}.{schema}")
        seeds.add("registered_model", f"{catalog}.churn.Model")
    kinds = ("orders", "MANAGED", "DELTA"), ("logs", "EXTERNAL", "CSV"), ("labels", "EXTERNAL", "DELTA")
    for name, kind, form in kinds:
        seeds.add("table", f"prod.raw.{name}", table_type=kind, data_source_format=form)
    seeds.add("table", "prod.churn.features", table_type="MANAGED", data_source_format="DELTA")
    seeds.add("table", "prod.churn.summary", table_type="VIEW")
    seeds.version("prod.churn.Model", source="models:/dev.churn.Model/3", run_id="a1")
    seeds.version("prod.churn.Model", source="s3://prod/models/2", comment="better")
    seeds.add("external_location", "landing", url="s3://landing")
    if authorization:
        seeds.user(ANN)
        seeds.user(CAT)
        seeds.grant("catalog", "prod", ANN, "USE CATALOG")
        seeds.grant("schema", "prod.raw", ANN, "USE SCHEMA")
        seeds.grant("table", "prod.raw.orders", ANN, "SELECT", "MODIFY")
        seeds.grant("registered_model", "prod.churn.Model", CAT, "EXECUTE")
        seeds.grant("table", "prod.raw.logs", CAT, "MODIFY")
    return seeds


def facts_of(server: UnityServer, user: str = "admin", **variables: str) -> Facts:
    login = variables or {"UNITY_CATALOG_TOKEN": f"a-token-of-{user}"}
    quick = Options(sleep=lambda _seconds: None)
    asked = Asked(server.url, lambda: connect(server.url, login, quick, Limiter({FAMILY: 1e9})))
    return collect([], frozenset(TABLES), beside=Beside(catalogs=(asked,))).facts


def rows(facts: Facts, table: str, *columns: str) -> set[tuple[Any, ...]]:
    return {tuple(row.__dict__.get(column) for column in columns) for row in facts.rows[table]}


def whole(facts: Facts) -> set[str]:
    """The tables of which every list was read to its end."""
    return {name for name, _, _ in facts.complete} - {gap.facts for gap in facts.gaps if not gap.value}


@pytest.mark.parametrize("size", [2, 100])
def test_an_owner_of_the_metastore_sees_everything(size: int) -> None:
    with serve(estate(), size) as server:
        facts = facts_of(server)
    assert rows(facts, "catalogs", "name", "catalog_type", "isolation_mode", "storage_root") == {
        ("dev", "MANAGED", None, "s3://dev"),
        ("prod", "MANAGED", None, "s3://prod"),
    }
    assert rows(facts, "schemas", "catalog") == {("dev",), ("prod",)}
    assert len(facts.rows["schemas"]) == 4
    assert rows(facts, "catalog_tables", "name", "table_type", "format") == {
        ("prod.raw.orders", "MANAGED", "DELTA"),
        ("prod.raw.logs", "EXTERNAL", "CSV"),
        ("prod.raw.labels", "EXTERNAL", "DELTA"),
        ("prod.churn.features", "MANAGED", "DELTA"),
        ("prod.churn.summary", "VIEW", "none"),
    }
    at = estate().metastore
    assert rows(facts, "models", "key", "name", "registry") == {
        (f"{at}/{catalog}.churn.Model", f"{catalog}.churn.model", "unity_catalog") for catalog in ("dev", "prod")
    }, "models of equal names in two catalogs"
    assert rows(facts, "model_versions", "key", "status", "run", "copied_from", "created_by", "has_signature") == {
        (f"{at}/prod.churn.Model/1", "READY", "?/a1", f"{at}/dev.churn.model/3", "user:admin", None),
        (f"{at}/prod.churn.Model/2", "READY", "none", "none", "user:admin", None),
    }
    assert rows(facts, "grants", "securable", "principal", "privilege") == {
        (f"{at}/prod", "user:ann@example.com", "USE_CATALOG"),
        (f"{at}/prod.raw", "user:ann@example.com", "USE_SCHEMA"),
        (f"{at}/prod.raw.orders", "user:ann@example.com", "SELECT"),
        (f"{at}/prod.raw.orders", "user:ann@example.com", "MODIFY"),
        (f"{at}/prod.raw.logs", "user:cat@example.com", "MODIFY"),
        (f"{at}/prod.churn.Model", "user:cat@example.com", "EXECUTE"),
    }
    assert rows(facts, "principals", "principal") == {("user:admin",), (f"user:{ANN}",), (f"user:{CAT}",)}
    assert rows(facts, "securables", "owner", "owner_kind") == {("admin", "user")}
    assert whole(facts) >= LISTS


def test_what_the_server_does_not_keep_is_told_by_a_gap_and_never_by_a_pass() -> None:
    with serve(estate()) as server:
        facts = facts_of(server)
    untold = {"bindings", "model_aliases", "model_version_tags", "table_keys", "stage_writes"}
    assert whole(facts).isdisjoint(untold)
    assert {gap.facts for gap in facts.gaps if not gap.value} == untold
    assert {gap.cause for gap in facts.gaps} == {Cause.UNRESOLVED}
    judged = verdicts(facts)
    assert judged["DAT001", "catalog_tables", f"{estate().metastore}/prod.raw.logs"] == "fail"
    assert judged["DAT001", "catalog_tables", f"{estate().metastore}/prod.raw.orders"] == "pass"
    by_code: dict[str, set[str]] = {}
    for (code, _, _), verdict in judged.items():
        by_code.setdefault(code, set()).add(verdict)
    # Rules that rest on bindings, keys, aliases, tags, runs or files.
    for code in ("ENV007", "DAT003", "REG005", "REG007", "REG008", "DEP002", "DEP004", "DEP005", "TRK003", "TRK007"):
        assert by_code[code] - {"not applicable"} == {"unknown"}, code


def test_others_are_shown_less_with_200_and_that_is_never_a_pass() -> None:
    with serve(estate()) as server:
        all_of_it = verdicts(facts_of(server))
        facts = facts_of(server, ANN)
    assert rows(facts, "catalogs", "name") == {("prod",)}
    assert rows(facts, "catalog_tables", "name") == {("prod.raw.orders",)}
    assert {principal for principal, *_ in rows(facts, "grants", "principal")} == {f"user:{ANN}"}
    assert whole(facts).isdisjoint(LISTS - {"model_versions"})
    assert {gap.cause for gap in facts.gaps if gap.facts in ("catalogs", "grants", "principals") and not gap.value} == {
        Cause.REFUSED
    }
    for one, verdict in verdicts(facts).items():
        assert verdict != "pass" or all_of_it.get(one) == "pass", one


def test_a_server_without_authorization_lets_anybody_do_everything() -> None:
    with serve(estate(authorization=False)) as server:
        facts = facts_of(server, "anybody")
    at = estate().metastore
    assert rows(facts, "grants", "securable", "principal", "privilege") == {
        (f"{at}/{key}", "everyone:anybody", "ALL_PRIVILEGES") for key in ("dev", "prod", "location:landing")
    }
    assert whole(facts) >= LISTS
    assert rows(facts, "securables", "owner") == {(None,)}
    judged = verdicts(facts)
    assert judged["DAT005", "catalog_tables", f"{at}/prod.raw.orders"] == "fail"


@pytest.mark.parametrize("token", ["", "a-wrong-token-of-a-test"])
def test_a_login_that_fails_is_a_gap_for_everything(token: str) -> None:
    with serve(estate()) as server:
        facts = facts_of(server, "", UNITY_CATALOG_TOKEN=token)
    assert whole(facts).isdisjoint(LISTS | {"metastores"})
    refused = [gap for gap in facts.gaps if gap.facts == "metastores"]
    assert [gap.cause for gap in refused] == [Cause.REFUSED]
    assert "UNITY_CATALOG_TOKEN" in refused[0].remedy
    assert "pass" not in verdicts(facts).values()


def test_more_users_than_a_page_of_them() -> None:
    seeds = estate()
    for number in range(120):
        seeds.user(f"user{number}@example.com")
    with serve(seeds) as server:
        facts = facts_of(server)
    assert len(facts.rows["principals"]) == 123


#: Which question for a path is refused: the first for catalogs is whether anybody is answered.
REFUSED = [
    (f"{UNITY}/catalogs", "catalogs", 3, 403),
    (f"{UNITY}/schemas", "schemas", 2, 403),
    *((f"{UNITY}/tables", "catalog_tables", 2, status) for status in (403, 404, 500)),
    (f"{UNITY}/models", "models", 2, 403),
    (f"{UNITY}/models/prod.churn.Model/versions", "model_versions", 1, 403),
    (f"{UNITY}/permissions/table/prod.raw.orders", "grants", 1, 403),
    (f"{UNITY}/external-locations", "external_locations", 1, 403),
    (f"{UNITY}/metastore_summary", "metastores", 1, 403),
    ("/api/1.0/unity-control/scim2/Users", "principals", 1, 500),
]


@pytest.mark.parametrize(("path", "table", "number", "status"), REFUSED)
def test_a_page_that_is_refused_leaves_its_list_a_gap(path: str, table: str, number: int, status: int) -> None:
    asked: list[object] = []

    def fault(request: object) -> Says | None:
        asked.append(request)
        return Says({"error_code": "ANY", "message": "no"}, status) if len(asked) >= number else None

    with serve(estate()) as server:
        server.faults[path] = fault
        facts = facts_of(server)
    assert len(asked) >= number, "the fault was met"
    assert table not in whole(facts)


def test_a_dead_server_leaves_a_gap_for_all_that_it_has() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    facts = collect([], frozenset(TABLES), beside=Beside(catalogs=(Asked(url, lambda: connect(url, {})),))).facts
    assert {gap.cause for gap in facts.gaps} == {Cause.UNREACHABLE}
    assert {gap.facts for gap in facts.gaps} >= {"metastores", "principals"}
    assert "pass" not in verdicts(facts).values()


def test_a_token_does_not_travel_in_the_clear() -> None:
    with pytest.raises(UsageError, match="not https"):
        connect("http://unity.example.com", {"UNITY_CATALOG_TOKEN": "a-token-of-a-test"})


def test_the_commands_read_it_and_judge_the_snapshot_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNITY_CATALOG_TOKEN", "a-token-of-admin")
    with serve(estate()) as server:
        asked = ("--output-format", "json", "--show", "unknown")
        live = inside(tmp_path, "audit", "--unity-catalog", server.url, *asked)
        collected = inside(tmp_path, "collect", "--unity-catalog", server.url, "-o", "estate.snap")
        doctor = inside(tmp_path, "doctor", "--unity-catalog", server.url)
    assert live.code == 1, live.err
    found = live.json["findings"]
    assert ("DAT001", f"{estate().metastore}/prod.raw.logs") in {(one["code"], one["subject"]) for one in found}
    assert collected.code == 0, collected.out
    again = inside(tmp_path, "audit", "--snapshot", "estate.snap", *asked)
    columns = ("code", "subject", "verdict", "message")
    assert [[one[c] for c in columns] for one in again.json["findings"]] == [[one[c] for c in columns] for one in found]
    assert doctor.code == 0, doctor.err
    assert "DAT006" in doctor.out
    told = (live.out, live.err, collected.out, collected.err, doctor.out, doctor.err)
    assert not [text for text in told if "a-token-of-admin" in text]
    both = inside(tmp_path, "audit", "--unity-catalog", server.url, "--snapshot", "estate.snap")
    assert both.code == 2
