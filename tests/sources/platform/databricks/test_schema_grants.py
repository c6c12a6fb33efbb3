"""Grants by statement: the same as one by one, with a bounded number of requests; where they may not be whole, one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.contract import Estate, Pages, faults, serve
from tests.contract.realistic import realistic
from tests.contract.small import small
from tests.live import facts_of, verdicts

from lakewarden.facts.collect import Scope

if TYPE_CHECKING:
    from tests.contract import Server

    from lakewarden.facts.collect import Facts

UNITY = "/api/2.1/unity-catalog"
ASKED = f"{UNITY}/permissions/{{}}/{{}}"
STATEMENTS = "/api/2.0/sql/statements"
WANTED = frozenset({"grants", "effective_grants", "principal_summary", "catalog_tables"})
OF = "metastore-1/"
NAMES = ("a", "b", "c", "d")
#: The tables with the fewest and the most grants, by which a statement is compared with the API.
SAMPLES = ["prod.s.a", "prod.s.c"]


def estate(*, witness: bool = True) -> Estate:
    """Four tables, of which two have grants of their own; what is granted above them is seen by somebody else."""
    found = Estate(complete=True)
    found.user("ana@example.com")
    found.user("auditor@example.com", workspace_admin=True)
    found.user("ben@example.com")
    found.group("readers", ["ana@example.com"])
    found.catalog("prod", owner="ben@example.com")
    found.schema("prod.s", owner="ben@example.com")
    for name in NAMES:
        found.table(f"prod.s.{name}", owner="ben@example.com")
    found.grant("metastore", found.metastore_id, "auditor@example.com", ["READ_METADATA"])
    if witness:
        found.grant("schema", "prod.s", "readers", ["USE_SCHEMA", "SELECT"])
    found.grant("table", "prod.s.a", "account users", ["MODIFY", "SELECT"])
    found.grant("table", "prod.s.a", "ana@example.com", ["SELECT"])
    found.grant("table", "prod.s.b", "ana@example.com", ["ALL_PRIVILEGES"])
    found.warehouse("w-1")
    return found


def read(server: Server, warehouse: str = "w-1", who: str = "auditor@example.com") -> Facts:
    return facts_of(server, server.estate.principals[who], WANTED, warehouse)


def grants(facts: Facts) -> set[tuple[str, object, object]]:
    return {(row.key, row.__dict__["principal"], row.origin and row.origin.url) for row in facts.rows["grants"]}


def listed(facts: Facts) -> set[str | None]:
    return {scope.parent for table, _, scope in facts.complete if table == "grants"}


def by_object(server: Server) -> list[str]:
    """The tables whose grants were asked one by one."""
    asked = (one.path.rpartition("/")[2] for one in server.asked(ASKED) if "/permissions/table/" in one.path)
    return sorted(dict.fromkeys(asked))


def same(found: Estate, who: str = "auditor@example.com") -> tuple[Facts, list[str]]:
    """The facts with a warehouse, which are those without it, and what was asked one by one for them."""
    with serve(found) as server:
        without = read(server, "", who)
        seen = len(server.log)
        facts = read(server, "w-1", who)
        server.log[:seen] = []
        assert grants(facts) == grants(without)
        assert listed(facts) == listed(without)
        assert {gap[:4] for gap in facts.gaps} == {gap[:4] for gap in without.gaps}
        return facts, by_object(server)


def test_one_statement_tells_the_grants_of_a_schema() -> None:
    facts, asked = same(estate())
    assert Scope(None, f"{OF}prod.s.d") in {scope for table, _, scope in facts.complete if table == "grants"}
    assert asked == SAMPLES
    assert (f"{OF}prod.s.b/user:ana@example.com/ALL_PRIVILEGES") in {row.key for row in facts.rows["grants"]}


def test_the_size_of_pages_and_chunks_changes_nothing() -> None:
    found = []
    for pages in (Pages(), Pages(size=1, chunk=1), Pages(size=100, chunk=100, empty=())):
        with serve(estate(), pages) as server:
            found.append({(key, who) for key, who, _ in grants(read(server))})
    assert found[0] == found[1] == found[2]
    assert found[0]


def test_without_a_grant_to_somebody_else_nothing_shows_that_a_statement_is_whole() -> None:
    _, asked = same(estate(witness=False))
    assert asked == [f"prod.s.{name}" for name in NAMES]


def test_who_owns_the_schema_sees_its_grants() -> None:
    found = estate(witness=False)
    found.find("schemas", "prod.s")["owner"] = "auditor@example.com"  # type: ignore[index]
    _, asked = same(found)
    assert asked == SAMPLES


def test_who_manages_a_table_is_shown_its_own_grants_there_and_asks_the_api() -> None:
    found = estate()
    found.grant("table", "prod.s.b", "auditor@example.com", ["MANAGE"])
    _, asked = same(found)
    assert asked == ["prod.s.a", "prod.s.b", "prod.s.c"]


def test_an_owner_who_also_manages_asks_the_api() -> None:
    found = estate(witness=False)
    found.find("schemas", "prod.s")["owner"] = "auditor@example.com"  # type: ignore[index]
    found.grant("catalog", "prod", "auditor@example.com", ["MANAGE"])
    _, asked = same(found)
    assert asked == [f"prod.s.{name}" for name in NAMES]


def test_a_group_that_the_auditor_may_be_in_shows_nothing_of_others() -> None:
    found = estate(witness=False)
    found.group("all", ["readers", "auditor@example.com"])
    found.grant("schema", "prod.s", "all", ["SELECT"])
    found.grant("schema", "prod.s", "unknown group", ["SELECT"])
    found.grant("schema", "prod.s", "account users", ["SELECT"])
    _, asked = same(found)
    assert asked == [f"prod.s.{name}" for name in NAMES]


def test_who_sees_only_its_own_grants_passes_nothing() -> None:
    with serve(estate()) as server:
        facts = read(server, who="ana@example.com")
        assert not {one for one in listed(facts) if one and one.startswith(f"{OF}prod.s.")}
        found = verdicts(facts, codes=("DAT005", "DAT006", "DAT007", "DAT008"))
        assert found
        assert "pass" not in found.values()


def test_a_principal_that_was_deleted_is_asked_about() -> None:
    found = estate()
    found.grant("table", "prod.s.c", None, ["SELECT"], principal_id=42)
    facts, asked = same(found)
    assert asked == ["prod.s.a", "prod.s.c", "prod.s.d"]
    assert f"{OF}prod.s.c/#42/SELECT" in {row.key for row in facts.rows["grants"]}


def test_a_statement_that_tells_other_grants_than_the_api_counts_for_nothing() -> None:
    found = estate()
    columns = ["name", "grantee", "privilege", "inherited_from"]
    witness = [[name, "readers", "SELECT", "SCHEMA"] for name in NAMES]
    manifest = {"schema": {"columns": [{"name": one} for one in columns]}, "total_row_count": len(witness)}
    answer = {"statement_id": "s", "status": {"state": "SUCCEEDED"}, "manifest": manifest, "result": {"data_array": witness}}
    with serve(found) as server:
        without = grants(read(server, ""))
        found.answers["POST", STATEMENTS] = answer
        server.log.clear()
        assert grants(read(server)) == without
        assert by_object(server) == [f"prod.s.{name}" for name in NAMES]


@pytest.mark.parametrize("fault", [faults.refused(), faults.broken(501, "NOT_IMPLEMENTED"), faults.html(), faults.disabled()])
def test_without_the_warehouse_grants_are_asked_one_by_one(fault: faults.Fault) -> None:
    with serve(estate()) as server:
        without = grants(read(server, ""))
        server.faults.add("POST", STATEMENTS, fault)
        server.log.clear()
        facts = read(server)
        assert grants(facts) == without
        assert by_object(server) == [f"prod.s.{name}" for name in NAMES]
        assert len(server.asked(STATEMENTS, "POST")) < 3


def test_a_result_of_which_a_part_is_refused_counts_for_nothing() -> None:
    with serve(estate()) as server:
        without = grants(read(server, ""))
        server.faults.add("GET", f"{STATEMENTS}/{{}}/result/chunks/{{}}", faults.refused())
        assert grants(read(server)) == without


def test_every_rule_says_the_same_of_the_small_estate_with_a_warehouse() -> None:
    found = small()
    found.metastore_owner = found.admin.name
    with serve(found) as server:
        assert verdicts(facts_of(server, warehouse="warehouse-1")) == verdicts(facts_of(server))


def test_every_rule_says_the_same_of_a_realistic_estate_with_a_fraction_of_the_requests() -> None:
    found = realistic(1, tables=600, models=3)
    found.metastore_owner = found.admin.name
    found.warehouse("w-1")
    with serve(found, Pages(size=1000, chunk=5000, empty=())) as server:
        without = verdicts(facts_of(server))
        many = len(server.log)
        server.log.clear()
        assert verdicts(facts_of(server, warehouse="w-1")) == without
        schemas = 60
        assert len(server.log) < many - 600 + 5 * schemas
