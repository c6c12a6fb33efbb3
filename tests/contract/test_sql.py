from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from databricks.sdk.service.sql import StatementParameterListItem, StatementResponse
from tests.contract import Estate, Pages, Server, serve
from tests.contract.small import JOBS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.conftest import Serve

SCHEMA = "system.information_schema"


@pytest.fixture(scope="module")
def server(estate: Estate) -> Iterator[Server]:
    with serve(estate, Pages(size=100, empty=())) as server:
        yield server


def _done(server: Server, statement: str, name: str = "admin@example.com", **more: Any) -> StatementResponse:
    client = server.client(server.estate.principals[name])
    return client.statement_execution.execute_statement(statement=statement, warehouse_id="warehouse-1", **more)


def _rows(server: Server, statement: str, name: str = "admin@example.com", **more: Any) -> list[tuple[str | None, ...]]:
    """All chunks of a result."""
    done = _done(server, statement, name, **more)
    assert done.status is not None
    assert done.status.as_dict() == {"state": "SUCCEEDED"}, done.status
    result, rows = done.result, list[tuple[Any, ...]]()
    while result is not None:
        rows += map(tuple, result.data_array or ())
        if result.next_chunk_index is None:
            return rows
        client = server.client(server.estate.principals[name])
        result = client.statement_execution.get_statement_result_chunk_n(done.statement_id or "", result.next_chunk_index)
    return rows


def _error(server: Server, statement: str, **more: Any) -> str:
    status = _done(server, statement, **more).status
    assert status is not None
    assert status.error is not None
    assert status.state is not None
    assert status.state.value == "FAILED"
    return status.error.message or ""


def test_tables_of_all_catalogs_with_their_formats(server: Server) -> None:
    found = _rows(server, f"SELECT table_catalog, table_name, data_source_format, table_owner FROM {SCHEMA}.tables ORDER BY ALL")
    assert found[0] == ("dev", "scratch", "PARQUET", "ana@example.com")
    assert len(found) == 6


def test_results_come_in_chunks_of_text(server: Server) -> None:
    done = _done(server, "SELECT table_name, 1 AS one, true AS yes, NULL AS nothing FROM `system`.`information_schema`.`tables`")
    assert done.manifest is not None
    assert done.manifest.schema is not None
    assert (done.manifest.total_row_count, done.manifest.total_chunk_count) == (6, 2)
    assert [column.name for column in done.manifest.schema.columns or ()] == ["table_name", "one", "yes", "nothing"]
    assert done.result is not None
    assert done.result.data_array is not None
    assert done.result.data_array[0][1:] == ["1", "true", None]


def test_one_catalogs_own_information_schema_holds_that_catalog(server: Server) -> None:
    assert _rows(server, "SELECT table_name FROM dev.information_schema.tables") == [("scratch",)]


def test_grants_direct_and_inherited(server: Server) -> None:
    found = _rows(
        server,
        f"""SELECT grantee, privilege_type, inherited_from FROM {SCHEMA}.table_privileges
            WHERE table_catalog = 'prod' AND table_name = 'raw_orders' ORDER BY ALL""",
    )
    assert ("data-scientists", "SELECT", "NONE") in found
    assert (JOBS, "MODIFY", "SCHEMA") in found
    assert ("", "SELECT", "NONE") in found
    assert not [row for row in found if row[1] in {"USE_CATALOG", "USE_SCHEMA"}]
    schema = f"SELECT grantee, privilege_type, inherited_from FROM {SCHEMA}.schema_privileges WHERE schema_name = 'sales' AND catalog_name = 'prod'"
    assert ("data-scientists", "USE_SCHEMA", "CATALOG") in _rows(server, schema)
    catalog = f"SELECT grantee, privilege_type FROM {SCHEMA}.catalog_privileges WHERE catalog_name = 'dev'"
    assert _rows(server, catalog) == [("data-scientists", "ALL_PRIVILEGES")]


def test_the_rest_of_the_information_schema(server: Server) -> None:
    assert _rows(server, f"SELECT catalog_name FROM {SCHEMA}.catalogs ORDER BY 1") == [("dev",), ("prod",)]
    assert len(_rows(server, f"SELECT schema_name FROM {SCHEMA}.schemata")) == 3
    assert _rows(server, f"SELECT external_location_name FROM {SCHEMA}.external_locations") == [("landing",)]
    assert _rows(server, f"SELECT table_name, tag_name, tag_value FROM {SCHEMA}.table_tags") == [
        ("features", "owner_team", "churn")
    ]
    keys = f"""SELECT k.column_name FROM {SCHEMA}.table_constraints c JOIN {SCHEMA}.key_column_usage k
               ON k.constraint_name = c.constraint_name WHERE c.constraint_type = 'PRIMARY KEY'"""
    assert _rows(server, keys) == [("order_id",)]
    assert len(_rows(server, f"SELECT column_name FROM {SCHEMA}.columns WHERE table_name = 'orders'")) == 2
    assert _rows(server, f"WITH t AS (SELECT * FROM {SCHEMA}.catalogs) SELECT count(*) FROM t") == [("2",)]


def test_another_asker_sees_less(server: Server) -> None:
    tables = f"SELECT table_name FROM {SCHEMA}.tables WHERE table_catalog = 'prod'"
    assert _rows(server, tables, "ana@example.com") == [("raw_orders",)]
    assert _rows(server, tables, "guest@example.com") == []
    grants = f"SELECT DISTINCT grantee FROM {SCHEMA}.table_privileges WHERE table_catalog = 'prod' ORDER BY 1"
    assert _rows(server, grants, "ana@example.com") == [("ana@example.com",), ("data-scientists",)]


@pytest.mark.parametrize(("right", "seen"), [("MANAGE", 0), ("READ_METADATA", 1)])
def test_manage_does_not_open_the_information_schema(serving: Serve, right: str, seen: int) -> None:
    estate = Estate(complete=True)
    estate.user("ana@example.com")
    estate.catalog("prod")
    estate.warehouse("warehouse-1")
    estate.grant("catalog", "prod", "ana@example.com", [right])
    estate.grant("catalog", "prod", "others", ["USE_CATALOG"])
    found = _rows(serving(estate), f"SELECT grantee FROM {SCHEMA}.catalog_privileges", "ana@example.com")
    assert found.count(("others",)) == seen


def test_parameters_are_bound_by_name(server: Server) -> None:
    given = [StatementParameterListItem(name="catalog", value="dev")]
    assert _rows(server, f"SELECT table_name FROM {SCHEMA}.tables WHERE table_catalog = :catalog", parameters=given) == [
        ("scratch",)
    ]
    assert "UNBOUND_SQL_PARAMETER" in _error(server, f"SELECT * FROM {SCHEMA}.tables WHERE table_name = :name")


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("SELECT * FROM system.lakeflow.jobs", "TABLE_OR_VIEW_NOT_FOUND"),
        ("SELECT * FROM nowhere.information_schema.tables", "TABLE_OR_VIEW_NOT_FOUND"),
        ("SELECT * FROM tables", "TABLE_OR_VIEW_NOT_FOUND"),
        ("SELECT no_such_column FROM system.information_schema.tables", "no_such_column"),
        ("SELEC 1 FROM", "PARSE_SYNTAX_ERROR"),
        ("DROP TABLE prod.sales.orders", "UNSUPPORTED_STATEMENT"),
    ],
)
def test_a_statement_that_fails_is_200_with_a_state(server: Server, statement: str, told: str) -> None:
    assert told in _error(server, statement)


def test_system_tables_need_their_schema(serving: Serve) -> None:
    estate = Estate(complete=True)
    ana = estate.user("ana@example.com")
    estate.warehouse("warehouse-1")
    estate.system_table("system.lakeflow.jobs", ["job_id", "run_as"], [[1, "ana"]])
    server = serving(estate)
    statement = "SELECT job_id FROM system.lakeflow.jobs"
    assert _rows(server, statement) == [("1",)]
    denied = _done(server, statement, "ana@example.com").status
    assert denied is not None
    assert denied.error is not None
    assert "INSUFFICIENT_PERMISSIONS" in (denied.error.message or "")
    estate.grant("schema", "system.lakeflow", ana.name, ["USE_SCHEMA", "SELECT"])
    assert _rows(server, statement, ana.name) == [("1",)]


def test_a_statement_can_be_polled(server: Server) -> None:
    started = _done(server, "SELECT 1 AS one", wait_timeout="0s")
    assert started.status is not None
    assert started.status.as_dict() == {"state": "PENDING"}
    done = server.client().statement_execution.get_statement(started.statement_id or "")
    assert done.result is not None
    assert done.result.data_array == [["1"]]


def test_a_warehouse_that_is_not_there(server: Server) -> None:
    with pytest.raises(Exception, match="does not exist"):
        server.client().statement_execution.execute_statement(statement="SELECT 1", warehouse_id="other")
