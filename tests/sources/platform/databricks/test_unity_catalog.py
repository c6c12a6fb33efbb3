"""What a metastore holds: catalogs, schemas, tables, keys, grants and owners, complete or said to be incomplete."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.contract import Estate, Pages, faults, serve
from tests.contract.small import small
from tests.live import facts_of, verdicts

from lakewarden.facts.gaps import Cause

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract import Server

    from lakewarden.facts.collect import Facts

UNITY = "/api/2.1/unity-catalog"
TABLES = ("catalogs", "schemas", "catalog_tables", "table_keys", "grants", "securables", "bindings", "external_locations")
RULES = ("DAT001", "DAT003", "DAT005", "DAT006", "DAT007", "DAT008", "DAT012", "ENV007")
OF = "metastore-1/"


def estate() -> Estate:
    """The small estate, whose admin owns the metastore, without the catalog that another workspace keeps for itself."""
    found = small()
    found.metastore_owner = found.admin.name
    return found


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve(estate()) as running:
        yield running


def keys(facts: Facts, table: str) -> list[str]:
    return sorted(row.key for row in facts.rows[table])


def told(facts: Facts) -> set[tuple[str, str, str | None]]:
    return {(gap.cause.value, gap.facts, gap.parent) for gap in facts.gaps if not gap.value}


def everything(facts: Facts, *, place: str) -> dict[str, list[dict[str, object]]]:
    """All rows without the times at which they were read, and without where the server happened to listen."""
    return {
        table: sorted(
            (
                {k: v.replace(place, "W") if isinstance(v, str) else v for k, v in row.__dict__.items() if k != "origin"}
                for row in facts.rows[table]
            ),
            key=str,
        )
        for table in TABLES
    }


def test_everything_is_read_and_every_list_is_marked(server: Server) -> None:
    facts = facts_of(server)
    assert keys(facts, "catalogs") == [OF + name for name in ("dev", "elsewhere", "prod")]
    assert keys(facts, "schemas") == [OF + name for name in ("dev.sales", "prod.ml", "prod.sales")]
    assert OF + "prod.sales.features" in keys(facts, "catalog_tables")
    assert keys(facts, "table_keys") == [OF + "prod.sales.features/PRIMARY KEY/order_id"]
    assert keys(facts, "bindings") == [
        OF + "elsewhere/2222222222222222",
        OF + "prod/1111111111111111",
        OF + "prod/2222222222222222",
    ]
    unity = {gap for gap in told(facts) if gap[1] in TABLES}
    # A catalog that is bound to another workspace cannot be looked into from here.
    assert unity == {("refused", "schemas", OF + "elsewhere")}


def test_a_binding_to_a_workspace_of_the_run_names_it(server: Server) -> None:
    places = {row.key: row.__dict__["workspace"] for row in facts_of(server).rows["bindings"]}
    assert places[OF + "prod/1111111111111111"] == server.url
    assert places[OF + "prod/2222222222222222"] is None


def test_a_deleted_principal_has_a_grant_of_its_own(server: Server) -> None:
    grants = {row.key: row.__dict__["principal"] for row in facts_of(server).rows["grants"]}
    assert grants[OF + "prod.sales.raw_orders/#42/SELECT"] is None


def test_a_privilege_that_the_sdk_does_not_know_is_not_lost() -> None:
    found = estate()
    found.grant("schema", "prod.ml", "data-scientists", ["CREATE MODEL VERSION"], raw=True)
    with serve(found) as server:
        assert OF + "prod.ml/group:data-scientists/CREATE_MODEL_VERSION" in keys(facts_of(server), "grants")


def test_the_size_of_pages_changes_nothing() -> None:
    found = []
    for pages in (Pages(), Pages(size=1), Pages(size=100)):
        with serve(estate(), pages) as server:
            found.append(everything(facts_of(server), place=server.url))
    assert found[0] == found[1] == found[2]
    assert found[0]["grants"]


def test_who_sees_only_its_own_grants_passes_nothing_on_them(server: Server) -> None:
    guest = server.estate.principals["guest@example.com"]
    facts = facts_of(server, guest)
    assert ("refused", "catalogs", "metastore-1") in told(facts)
    found = verdicts(facts, codes=RULES)
    assert found
    assert "pass" not in found.values()
    assert "fail" not in found.values()


def test_browse_shows_what_is_there_but_no_grants_of_others() -> None:
    found = estate()
    found.user("reader@example.com")
    found.grant("catalog", "prod", "reader@example.com", ["BROWSE", "USE_CATALOG"])
    with serve(found) as server:
        facts = facts_of(server, found.principals["reader@example.com"])
    assert OF + "prod.sales.orders" in keys(facts, "catalog_tables")
    assert ("refused", "grants", OF + "prod.sales.orders") in told(facts)
    remedies = {gap.remedy for gap in facts.gaps if gap.facts == "grants" and gap.cause is Cause.REFUSED}
    assert "GRANT READ METADATA ON SCHEMA `prod.sales` TO `reader@example.com`" in remedies
    of_tables = {verdict for (_, kind, key), verdict in verdicts(facts, codes=("DAT005",)).items() if kind == "catalog_tables"}
    assert of_tables <= {"unknown", "not applicable"}


def test_a_rule_that_is_broken_is_told_whoever_looks(server: Server) -> None:
    found = verdicts(facts_of(server), codes=RULES)
    assert found["ENV007", "catalogs", OF + "prod"] == "unknown"  # bound to a workspace that the audit does not read
    assert found["DAT001", "catalog_tables", OF + "prod.sales.features"] == "pass"
    # data-scientists may hold anybody, and have MODIFY on nothing here.
    assert found["DAT005", "catalog_tables", OF + "prod.sales.orders"] == "pass"
    assert found["DAT007", "securables", OF + "prod.sales.orders"] == "fail"


@pytest.mark.slow
def test_whatever_is_refused_no_verdict_becomes_better() -> None:
    """Each request of a whole audit is refused once; what was seen before must not turn into another verdict."""
    with serve(estate()) as server:
        before = verdicts(facts_of(server), codes=RULES)
        places = list(dict.fromkeys(one.path for one in server.asked() if one.path.startswith(UNITY)))
        assert len(places) > 20
        for path in places:
            server.faults.clear()
            server.faults.add("GET", path, faults.refused())
            after = verdicts(facts_of(server), codes=RULES)
            for at, verdict in after.items():
                if verdict in ("pass", "fail") or (verdict == "not applicable" and "?" not in at[2]):
                    assert before.get(at) == verdict, (path, at, before.get(at), verdict)
            lost = before.keys() - after.keys()
            # An object that was not seen is gone; something unknown stands for it.
            assert not lost or "unknown" in after.values(), path


def test_a_list_that_leads_to_itself_for_ever_is_cut_and_told(server: Server) -> None:
    server.faults.add("GET", f"{UNITY}/tables", faults.same_token(), when=lambda one: one.query.get("schema_name") == "sales")
    try:
        facts = facts_of(server)
    finally:
        server.faults.clear()
    assert any(gap.cause is Cause.TRUNCATED and gap.facts == "catalog_tables" for gap in facts.gaps)
    assert "unknown" in verdicts(facts, codes=("DAT001",)).values()


def test_only_what_rules_need_is_asked_for(server: Server) -> None:
    server.log.clear()
    facts = facts_of(server, wanted=frozenset({"catalogs", "bindings"}))
    assert keys(facts, "catalogs")
    assert not facts.rows["catalog_tables"]
    assert not [one for one in server.asked() if "/permissions/" in one.path or one.path.endswith("/tables")]


@pytest.mark.parametrize(("template", "items", "table"), [("catalogs", "catalogs", "catalogs"), ("schemas", "schemas", "schemas"), ("tables", "tables", "catalog_tables")])  # fmt: skip
def test_an_object_without_a_name_makes_its_list_incomplete(template: str, items: str, table: str) -> None:
    found = estate()
    found.answers["GET", f"{UNITY}/{template}"] = {items: [{"owner": "somebody"}]}
    with serve(found) as server:
        facts = facts_of(server)
    assert any(gap.cause is Cause.FAILED and gap.facts == table for gap in facts.gaps)


@pytest.mark.parametrize("fault", [faults.broken(501, "NOT_IMPLEMENTED"), faults.broken(404, "ENDPOINT_NOT_FOUND")])
def test_a_route_that_is_not_there_is_no_workspace_without_a_metastore(fault: faults.Fault) -> None:
    with serve(estate()) as server:
        server.faults.add("GET", f"{UNITY}/metastore_summary", fault)
        facts = facts_of(server)
        assert any(gap.facts == "metastores" and gap.parent == server.url for gap in facts.gaps)
    found = verdicts(facts, codes=("DAT001",))
    assert set(found.values()) == {"unknown"}
