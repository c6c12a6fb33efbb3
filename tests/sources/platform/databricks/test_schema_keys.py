"""Keys of feature tables by statement: the same verdicts as one by one, with a bounded number of requests for each schema; where
they may not be whole, one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.contract import Estate, Pages, faults, serve
from tests.contract.realistic import realistic
from tests.live import facts_of, verdicts

from lakewarden.facts.fact import TABLES

if TYPE_CHECKING:
    from tests.contract import Server
    from tests.live import Verdicts

    from lakewarden.facts.collect import Facts

TABLE = "/api/2.1/unity-catalog/tables/{}"
STATEMENTS = "/api/2.0/sql/statements"
WANTED = frozenset({"catalog_tables", "table_keys"})
OF = "metastore-1/"
RULES = ("DAT003", "DAT004")
KEYS: dict[str, list[str]] = {"a": [], "b": ["id"], "c": ["id", "day", "value"], "d": ["id"], "e": []}
EVERY = [f"prod.features.{name}" for name in KEYS]
#: The tables with the fewest and the most columns of keys, by which a statement is compared with the API.
SAMPLES = ["prod.features.a", "prod.features.c"]
MANIFEST = ("name", "named", "kind", "field", "nullable")


def estate(keys: dict[str, list[str]] = KEYS, catalog: str = "prod") -> Estate:
    """Tables of features; of b the key may be NULL, of d it has a time and refers to another table."""
    found = Estate(complete=True)
    found.user("auditor@example.com", workspace_admin=True)
    found.user("ana@example.com")
    found.user("owner@example.com")
    found.catalog(catalog, owner="owner@example.com")
    found.schema(f"{catalog}.features", owner="owner@example.com")
    found.grant("metastore", found.metastore_id, "auditor@example.com", ["READ_METADATA"])
    for name, columns in keys.items():
        row = found.table(f"{catalog}.features.{name}", keys=columns, columns=["id", "day", "value"], owner="owner@example.com")
        for column in row["columns"]:
            column["nullable"] = name == "b" or column["name"] not in columns
        if name == "d":
            (constraint,) = row["table_constraints"]
            constraint["primary_key_constraint"]["timeseries_columns"] = ["id"]
            other = {
                "name": "d_fk",
                "child_columns": ["value"],
                "parent_table": f"{catalog}.features.c",
                "parent_columns": ["id"],
            }
            row["table_constraints"].append({"foreign_key_constraint": other})
    found.warehouse("w-1")
    return found


def read(server: Server, warehouse: str = "w-1", who: str = "auditor@example.com") -> Facts:
    server.log.clear()
    return facts_of(server, server.estate.principals[who], WANTED, warehouse)


def judged(facts: Facts) -> Verdicts:
    return verdicts(facts, codes=RULES)


def by_object(server: Server) -> list[str]:
    """The tables whose keys were asked one by one."""
    return sorted({one.path.rpartition("/")[2] for one in server.asked(TABLE)})


def listed(facts: Facts) -> set[str]:
    return {str(scope.parent) for table, _, scope in facts.complete if table == "table_keys"}


def columns(facts: Facts) -> set[tuple[Any, ...]]:
    """All that is said of keys, but which column is the time."""
    read = ("catalog_table", "kind", "nullable")
    return {(row.key, *(row.__dict__[name] for name in read), row.origin and row.origin.url) for row in facts.rows["table_keys"]}


def same(found: Estate, who: str = "auditor@example.com") -> tuple[Facts, list[str]]:
    """The facts with a warehouse, with the verdicts of those without it, and what was asked one by one for them."""
    with serve(found) as server:
        without = read(server, "", who)
        facts = read(server, "w-1", who)
        asked = by_object(server)
    assert columns(facts) == columns(without)
    assert listed(facts) == listed(without)
    assert judged(facts) == judged(without)
    return facts, asked


def answered(*rows: tuple[str | None, ...]) -> dict[str, Any]:
    manifest = {"schema": {"columns": [{"name": one} for one in MANIFEST]}, "total_row_count": len(rows)}
    data = {"data_array": [list(row) for row in rows]}
    return {"statement_id": "s", "status": {"state": "SUCCEEDED"}, "manifest": manifest, "result": data}


def none_but(*rows: tuple[str | None, ...]) -> dict[str, Any]:
    """What a statement would tell if no other table had a key."""
    told = {row[0] for row in rows}
    return answered(*rows, *((name, None, None, None, None) for name in KEYS if name not in told))


def test_one_statement_tells_the_keys_of_a_schema() -> None:
    facts, asked = same(estate())
    assert asked == SAMPLES
    assert listed(facts) == {f"{OF}{name}" for name in EVERY}
    found = {key[2].rpartition(".")[2]: verdict for key, verdict in judged(facts).items() if key[0] == "DAT003"}
    assert found == {"a": "fail", "b": "fail", "c": "pass", "d": "pass", "e": "fail"}


def test_what_only_the_api_tells_of_a_key_is_unknown_and_says_why() -> None:
    facts, _ = same(estate())
    times = {row.key.partition(".features.")[2]: row.__dict__["is_timeseries"] for row in facts.rows["table_keys"]}
    in_samples = dict.fromkeys((f"c/PRIMARY KEY/{name}" for name in KEYS["c"]), False)
    assert times == {**in_samples, "b/PRIMARY KEY/id": None, "d/PRIMARY KEY/id": None, "d/FOREIGN KEY/value": False}
    why = {gap.parent: gap.remedy for gap in facts.gaps if gap.facts == "table_keys" and gap.value}
    assert why == {f"{OF}prod.features.{name}/PRIMARY KEY/id": "run without --warehouse" for name in ("b", "d")}


def test_no_rule_reads_the_time_of_a_live_key() -> None:
    """DAT004 compares a key with look-ups of the same plane, which code alone declares: else the API had to be asked."""
    with serve(estate()) as server:
        facts = facts_of(server, server.estate.principals["auditor@example.com"], frozenset(TABLES), "w-1")
    assert not facts.rows["feature_lookups"]
    assert not [key for key in judged(facts) if key[0] == "DAT004"]


def test_requests_do_not_grow_with_the_tables_of_a_schema() -> None:
    requests = []
    for count in (5, 60):
        with serve(
            estate({f"t{number}": ["id"] if number % 2 else [] for number in range(count)}), Pages(size=100, empty=(), chunk=1000)
        ) as server:
            read(server)
            assert len(by_object(server)) == 2
            requests.append(len(server.log))
    assert requests[0] == requests[1]


def test_the_size_of_pages_and_chunks_changes_nothing() -> None:
    found = []
    for pages in (Pages(), Pages(size=1, chunk=1), Pages(size=100, chunk=100, empty=())):
        with serve(estate(), pages) as server:
            found.append(judged(read(server)))
            assert by_object(server) == SAMPLES
    assert found[0] == found[1] == found[2]


def test_a_few_tables_are_asked_without_a_statement() -> None:
    with serve(estate({"a": [], "b": ["id"]})) as server:
        read(server)
        assert by_object(server) == EVERY[:2]
        assert not server.asked(STATEMENTS, "POST")


def test_who_may_not_see_all_of_a_catalog_asks_one_by_one() -> None:
    found = estate(catalog="samples")
    found.grant("catalog", "samples", "ana@example.com", ["USE_CATALOG", "USE_SCHEMA"])
    for name in "abcd":
        found.grant("table", f"samples.features.{name}", "ana@example.com", ["SELECT"])
    _, asked = same(found, "ana@example.com")
    assert asked == [f"samples.features.{name}" for name in "abcd"]


def test_a_table_that_the_statement_does_not_show_is_asked_about() -> None:
    found = estate()
    found.find("tables", "prod.features.e", "prod.features")["columns"] = []  # type: ignore[index]
    _, asked = same(found)
    assert asked == ["prod.features.a", "prod.features.c", "prod.features.e"]


def test_a_table_that_neither_shows_stays_unknown() -> None:
    found = estate()
    found.find("tables", "prod.features.e", "prod.features")["columns"] = []  # type: ignore[index]
    with serve(found) as server:
        server.faults.add("GET", f"{TABLE.partition('{')[0]}prod.features.e", faults.refused())
        facts = read(server)
    assert f"{OF}prod.features.e" not in listed(facts)
    assert judged(facts)["DAT003", "catalog_tables", f"{OF}prod.features.e"] == "unknown"


B = ("b", "b_pk", "PRIMARY KEY", "id", "YES")
C = tuple(("c", "c_pk", "PRIMARY KEY", name, "NO") for name in KEYS["c"])
D = (("d", "d_pk", "PRIMARY KEY", "id", "NO"), ("d", "d_fk", "FOREIGN KEY", "value", "YES"))


@pytest.mark.parametrize(
    ("answer", "asked"),
    [
        pytest.param(answered(), EVERY, id="nothing"),
        pytest.param(none_but(B, *C, *D), SAMPLES, id="all"),
        pytest.param(none_but(B, *C, *D, ("e", "e_check", "CHECK", None, None)), SAMPLES, id="a check is no key"),
        pytest.param(none_but(), EVERY, id="no key of any table"),
        pytest.param(none_but(B, ("c", "c_pk", "PRIMARY KEY", "more", "NO"), *C, *D), EVERY, id="other keys than the API"),
        pytest.param(none_but(B, *((*row[:4], "YES") for row in C), *D), EVERY, id="other nullable columns than the API"),
        pytest.param(none_but(("b", "b_pk", "PRIMARY KEY", None, None), *C, *D), EVERY[:3], id="a key without its columns"),
        pytest.param(none_but(("b", "b_pk", "PRIMARY KEY", "id", None), *C, *D), EVERY[:3], id="a column that is not shown"),
        pytest.param(none_but(("b", "b_pk", "UNIQUE", "id", "NO"), *C, *D), EVERY[:3], id="a kind that is not known"),
        pytest.param(none_but(("b", "b_pk", None, "id", "NO"), *C, *D), EVERY[:3], id="a constraint without its kind"),
    ],
)
def test_an_answer_counts_as_far_as_it_is_whole(answer: dict[str, Any], asked: list[str]) -> None:
    found = estate()
    with serve(found) as server:
        without = read(server, "")
        found.answers["POST", STATEMENTS] = answer
        facts = read(server)
        assert by_object(server) == asked
    assert (columns(facts), listed(facts)) == (columns(without), listed(without))
    assert judged(facts) == judged(without)


@pytest.mark.parametrize("fault", [faults.refused(), faults.broken(501, "NOT_IMPLEMENTED"), faults.html(), faults.too_large()])
def test_without_the_warehouse_keys_are_asked_one_by_one(fault: faults.Fault) -> None:
    with serve(estate()) as server:
        without = judged(read(server, ""))
        server.faults.add("POST", STATEMENTS, fault)
        facts = read(server)
        assert by_object(server) == EVERY
    assert judged(facts) == without


def refused() -> dict[str, Any]:
    message = "[INSUFFICIENT_PERMISSIONS] User does not have USE SCHEMA on Schema 'system.information_schema'."
    return {"statement_id": "s", "status": {"state": "FAILED", "error": {"error_code": "BAD_REQUEST", "message": message}}}


def cut() -> dict[str, Any]:
    said = none_but(B, *C, *D)
    return {**said, "manifest": {**said["manifest"], "truncated": True}}


def short() -> dict[str, Any]:
    said = none_but(B, *C, *D)
    return {**said, "result": {"data_array": said["result"]["data_array"][:-1]}}


@pytest.mark.parametrize("answer", [refused(), cut(), short()], ids=["refused", "cut", "a row less than it says"])
def test_a_statement_that_is_refused_or_not_whole_counts_for_nothing(answer: dict[str, Any]) -> None:
    found = estate()
    with serve(found) as server:
        without = judged(read(server, ""))
        found.answers["POST", STATEMENTS] = answer
        facts = read(server)
        assert by_object(server) == EVERY
    assert judged(facts) == without


def test_a_result_of_which_a_part_is_refused_counts_for_nothing() -> None:
    with serve(estate()) as server:
        without = judged(read(server, ""))
        server.faults.add("GET", f"{STATEMENTS}/{{}}/result/chunks/{{}}", faults.refused())
        facts = read(server)
        assert by_object(server) == EVERY
    assert judged(facts) == without


def test_every_verdict_of_a_realistic_estate_is_the_same_with_a_request_or_less_for_four_feature_tables() -> None:
    found = realistic(2, tables=2400, models=1)
    found.metastore_owner = found.admin.name
    found.warehouse("w-1")
    with serve(found, Pages(size=1000, chunk=5000, empty=())) as server:
        without = judged(facts_of(server, wanted=WANTED))
        one_by_one = len(by_object(server))
        server.log.clear()
        assert judged(facts_of(server, wanted=WANTED, warehouse="w-1")) == without
        assert one_by_one == 480
        assert len(by_object(server)) <= 2 * 60
        assert len(server.asked(STATEMENTS, "POST")) <= 61
