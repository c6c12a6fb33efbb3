"""Statements on a SQL warehouse: every row of a result or an error, never a part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.contract import Estate, Pages, faults, serve
from tests.contract.store import ADMIN

from lakewarden.errors import SourceError
from lakewarden.sources.platform.databricks.statements import STATEMENTS, Warehouse
from lakewarden.sources.platform.wire import http
from lakewarden.sources.platform.wire.api import Options
from lakewarden.sources.platform.wire.limiter import Limiter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract import Server

COLUMNS = ["name", "event_date DATE", "who STRUCT(email VARCHAR)"]
ROWS = [[f"row-{number}", "2026-01-01", {"email": f"person{number}@example.com"}] for number in range(7)]
QUERY = "SELECT name, who.email AS email FROM system.access.events WHERE event_date >= CAST(:since AS DATE) ORDER BY name"
GRANT = "GRANT SELECT ON SCHEMA `system.access` TO `guest@example.com`"


@pytest.fixture
def server() -> Iterator[Server]:
    estate = Estate(complete=True)
    estate.user("guest@example.com")
    estate.warehouse("w-1")
    estate.system_table("system.access.events", COLUMNS, ROWS)
    with serve(estate, Pages(chunk=3)) as running:
        yield running


def warehouse(server: Server, who: str = ADMIN, number: str = "w-1", slept: list[float] | None = None) -> Warehouse:
    waits: list[float] = [] if slept is None else slept
    options, limits = Options(sleep=waits.append), Limiter(sleep=lambda _seconds: None)
    api = http.connect(server.url, token=server.estate.principals[who].token, limits=limits, options=options)
    return Warehouse(api, number)


def ask(server: Server, who: str = ADMIN) -> list[dict[str, str | None]]:
    return warehouse(server, who).rows(QUERY, {"since": "2025-01-01"}, remedy=GRANT)


def problem(server: Server, who: str = ADMIN, number: str = "w-1") -> SourceError:
    with pytest.raises(SourceError) as caught:
        warehouse(server, who, number).rows(QUERY, {"since": "2025-01-01"}, remedy=GRANT)
    return caught.value


def test_all_chunks_of_a_result_are_read(server: Server) -> None:
    assert ask(server) == [{"name": f"row-{number}", "email": f"person{number}@example.com"} for number in range(7)]
    assert warehouse(server).rows(QUERY, {"since": "2027-01-01"}) == []


def test_the_warehouse_is_waited_for_once(server: Server) -> None:
    server.estate.polls = 3
    said: list[str] = []
    slept: list[float] = []
    one = warehouse(server, slept=slept)
    one._say = said.append  # noqa: SLF001
    for _ in range(2):
        assert len(one.rows(QUERY, {"since": "2025-01-01"})) == 7
    assert said == ["the SQL warehouse w-1, which may take minutes to start,"]
    assert [asked.body["statement"] for asked in server.asked(STATEMENTS, "POST")].count("SELECT 1 AS one") == 1
    assert slept


def test_a_warehouse_that_never_starts_is_given_up_and_its_statement_cancelled(server: Server) -> None:
    server.estate.polls = 10_000
    slept: list[float] = []
    one = warehouse(server, slept=slept)
    for _ in range(2):
        with pytest.raises(SourceError, match="within 10 minutes") as caught:
            one.rows(QUERY, {"since": "2025-01-01"})
        assert caught.value.remedy
    assert 500 < sum(slept) <= 600
    assert len(server.asked(f"{STATEMENTS}/{{}}/cancel", "POST")) == 1


def test_who_may_not_use_the_warehouse_is_told_the_right(server: Server) -> None:
    server.estate.permissions("warehouses", "w-1", [{"user_name": ADMIN, "permission_level": "CAN_USE"}])
    found = problem(server, "guest@example.com")
    assert found.cause == "refused"
    assert found.remedy == "grant CAN USE on the SQL warehouse w-1"


def test_a_warehouse_that_is_not_there_is_no_empty_answer(server: Server) -> None:
    assert "SQL warehouse other" in problem(server, number="other").reason


def test_who_may_not_read_a_schema_is_told_the_grant(server: Server) -> None:
    found = problem(server, "guest@example.com")
    assert (found.cause, found.remedy) == ("refused", GRANT)


def test_a_table_that_is_not_enabled_is_refused_with_its_remedy(server: Server) -> None:
    with pytest.raises(SourceError, match="not enabled") as caught:
        warehouse(server).rows("SELECT 1 AS one FROM system.access.other", remedy=GRANT)
    assert (caught.value.cause, caught.value.remedy) == ("refused", GRANT)


OK = {"state": "SUCCEEDED"}
SCHEMA = {"columns": [{"name": "name"}]}


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ({"status": {"state": "CLOSED"}}, "truncated"),
        ({"status": {"state": "CANCELED"}}, "truncated"),
        ({"status": {"state": "FAILED", "error": {"error_code": "BAD_REQUEST", "message": "too large"}}}, "failed"),
        ({"status": {"state": "FAILED", "error": {"message": "Inline byte limit exceeded."}}}, "truncated"),
        ({"status": {"state": "FAILED"}}, "failed"),
        ({"status": {"state": "SOMETHING"}}, "failed"),
        ({"status": {"state": "PENDING"}}, "failed"),
        ({}, "failed"),
        ({"status": OK}, "failed"),
        ({"status": OK, "manifest": {"schema": SCHEMA, "truncated": True, "total_row_count": 1}}, "truncated"),
        ({"status": OK, "manifest": {"schema": SCHEMA, "total_row_count": 2}, "result": {"data_array": [["a"]]}}, "truncated"),
        ({"status": OK, "manifest": {"schema": SCHEMA, "total_row_count": 1}, "result": {"external_links": []}}, "truncated"),
        ({"status": OK, "manifest": {"schema": SCHEMA, "total_row_count": 1}, "result": {"data_array": [["a", "b"]]}}, "failed"),
        (
            {
                "status": OK,
                "manifest": {"schema": SCHEMA, "total_row_count": 1},
                "result": {"data_array": [["a"]], "next_chunk_index": 0},
            },
            "truncated",
        ),
    ],
)
def test_an_answer_that_is_no_whole_result_is_an_error(server: Server, answer: dict[str, Any], cause: str) -> None:
    one = warehouse(server)
    one.start()
    server.estate.answers["POST", STATEMENTS] = {"statement_id": "s"} | answer if answer else {}
    with pytest.raises(SourceError) as caught:
        one.rows("SELECT name FROM system.access.events")
    assert caught.value.cause == cause


def test_an_empty_result_may_leave_out_its_count(server: Server) -> None:
    one = warehouse(server)
    one.start()
    server.estate.answers["POST", STATEMENTS] = {"statement_id": "s", "status": OK, "manifest": {"schema": SCHEMA}}
    assert one.rows("SELECT name FROM system.access.events") == []


def test_one_chunk_refused_is_an_error(server: Server) -> None:
    server.faults.add(
        "GET", f"{STATEMENTS}/{{}}/result/chunks/{{}}", faults.refused(), when=lambda asked: asked.path.endswith("/2")
    )
    assert problem(server).cause == "refused"


@pytest.mark.parametrize(
    "statement", ["DROP TABLE t", "SELECT 1; DROP TABLE t", "GRANT SELECT ON TABLE t TO x", "INSERT INTO t SELECT 1"]
)
def test_only_queries_are_sent(server: Server, statement: str) -> None:
    with pytest.raises(ValueError, match=statement[:4]):
        warehouse(server).rows(statement)
    assert not server.asked(STATEMENTS, "POST")


def test_a_failure_hides_no_token(server: Server) -> None:
    one = warehouse(server)
    one.start()
    error = {"error_code": "BAD_REQUEST", "message": "no: token=dapi0123456789abcdef0123456789abcdef"}
    server.estate.answers["POST", STATEMENTS] = {"statement_id": "s", "status": {"state": "FAILED", "error": error}}
    with pytest.raises(SourceError) as caught:
        one.rows("SELECT name FROM system.access.events")
    assert "dapi" not in caught.value.reason
