"""Statement execution: the statement runs on DuckDB, over an information schema made of the same seeds."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from tests.contract.asking import Answer, Answers, Ask, Refused, Unseeded, absent, denied
from tests.contract.information_schema import VIEWS, WITHIN
from tests.contract.visibility import identities, levels, privileges

if TYPE_CHECKING:
    from tests.contract.store import Json

_TYPES = {"VARCHAR": "STRING", "BIGINT": "LONG", "INTEGER": "INT", "BOOLEAN": "BOOLEAN", "DOUBLE": "DOUBLE", "HUGEINT": "LONG"}
_TEXTS = {"LONG": "BIGINT"}
_USE = {"CAN_USE", "CAN_MONITOR", "CAN_MANAGE", "IS_OWNER"}
# Columns by which a query names what it is about, and the levels of a name that they are.
_NAMES = {"table_catalog": 0, "catalog_name": 0, "table_schema": 1, "schema_name": 1}


class Result(NamedTuple):
    """A statement's result, cut into chunks when it is asked for."""

    columns: list[tuple[str, str]]
    rows: list[list[str | None]]


class Failed(Exception):  # noqa: N818 an answer, not a mistake
    """A statement that the warehouse refuses: 200, with the state FAILED."""


def execute(ask: Ask) -> Answer:
    warehouse = ask.needed("warehouse_id")
    if ask.estate.find("warehouses", warehouse) is None:
        raise absent(f"SQL warehouse {warehouse}")
    if ("warehouses", warehouse) in ask.estate.acls and not _USE & levels(ask.estate, ask.who, "warehouses", warehouse):
        raise denied(f"{ask.who.name} is not authorized to use this SQL Endpoint.")
    if ask.given("disposition") not in {None, "INLINE"} or ask.given("format") not in {None, "JSON_ARRAY"}:
        raise Unseeded("only INLINE results as JSON_ARRAY are answered")
    name = f"statement-{len(ask.estate.statements) + 1}"
    try:
        ask.estate.statements[name] = _run(ask, ask.needed("statement"))
    except Failed as why:
        ask.estate.statements[name] = str(why)
    if ask.given("wait_timeout") == "0s" or ask.estate.polls:
        ask.estate.waiting[name] = ask.estate.polls
        return {"statement_id": name, "status": {"state": "PENDING"}}
    return _told(ask, name)


def status(ask: Ask) -> Answer:
    name = ask.parts[0]
    left = ask.estate.waiting.pop(name, 0)
    if left > 1:
        ask.estate.waiting[name] = left - 1
        return {"statement_id": name, "status": {"state": "RUNNING"}}
    return _told(ask, name)


def cancel(ask: Ask) -> Answer:
    _known(ask, ask.parts[0])
    ask.estate.waiting.pop(ask.parts[0], None)
    return {}


def chunk(ask: Ask) -> Answer:
    result = _known(ask, ask.parts[0])
    number = int(ask.parts[1])
    if isinstance(result, str) or number >= len(_chunks(ask, result)):
        raise Refused(404, "NOT_FOUND", f"Chunk {number} does not exist.")
    return _data(ask, ask.parts[0], result, number)


def _known(ask: Ask, name: str) -> Result | str:
    if name not in ask.estate.statements:
        raise Refused(404, "NOT_FOUND", f"The statement {name} was not found.")
    known: Result | str = ask.estate.statements[name]
    return known


def _told(ask: Ask, name: str) -> Json:
    result = _known(ask, name)
    if isinstance(result, str):
        return {"statement_id": name, "status": {"state": "FAILED", "error": {"error_code": "BAD_REQUEST", "message": result}}}
    columns = [
        {"name": column, "position": at, "type_name": kind, "type_text": _TEXTS.get(kind, kind)}
        for at, (column, kind) in enumerate(result.columns)
    ]
    chunks = _chunks(ask, result)
    about: list[Json] = [{"chunk_index": at, "row_offset": part.start, "row_count": len(part)} for at, part in enumerate(chunks)]
    manifest: Json = {"format": "JSON_ARRAY", "schema": {"column_count": len(columns), "columns": columns}, "chunks": about}
    manifest |= {"total_chunk_count": len(chunks), "total_row_count": len(result.rows), "truncated": False}
    first = _data(ask, name, result, 0) if chunks else {}
    return {"statement_id": name, "status": {"state": "SUCCEEDED"}, "manifest": manifest, "result": first}


def _chunks(ask: Ask, result: Result) -> list[range]:
    size = ask.pages.chunk
    return [range(at, min(at + size, len(result.rows))) for at in range(0, len(result.rows), size)]


def _data(ask: Ask, name: str, result: Result, number: int) -> Json:
    chunks = _chunks(ask, result)
    part = chunks[number]
    data: Json = {"chunk_index": number, "row_offset": part.start, "row_count": len(part)}
    data["data_array"] = [result.rows[at] for at in part]
    if number + 1 < len(chunks):
        data["next_chunk_index"] = number + 1
        data["next_chunk_internal_link"] = f"/api/2.0/sql/statements/{name}/result/chunks/{number + 1}?row_offset={part.stop}"
    return data


def _run(ask: Ask, statement: str) -> Result:
    try:
        query = sqlglot.parse_one(statement, read="databricks")
    except SqlglotError as error:
        raise Failed(f"[PARSE_SYNTAX_ERROR] {str(error).splitlines()[0]}") from error
    if not isinstance(query, exp.Query):
        raise Failed("[UNSUPPORTED_STATEMENT] The contract server runs queries only.")
    with contextlib.closing(duckdb.connect(config={"threads": 1})) as connection:
        _bound(ask, query)
        WITHIN.set(_within(query))
        own = {common.alias.lower() for common in query.find_all(exp.CTE)}
        for number, table in enumerate(list(query.find_all(exp.Table))):
            if table.name.lower() in own and not table.db:
                continue
            columns, rows = _rows(ask, table)
            name = f"seeded_{number}"
            kinds = [column.partition(" ")[2] for column in columns]
            given = (column if kind else f"{column} VARCHAR" for column, kind in zip(columns, kinds, strict=True))
            connection.execute(f"CREATE TABLE {name} ({', '.join(given)})")
            if rows:
                cells = [
                    [None if cell is None else json.dumps(cell) if kind else str(cell) for cell in column]
                    for kind, column in zip(kinds, zip(*rows, strict=True), strict=True)
                ]
                read = (f"CAST(CAST(unnest(?) AS JSON) AS {kind})" if kind else "unnest(?)" for kind in kinds)
                connection.execute(f"INSERT INTO {name} SELECT {', '.join(read)}", cells)
            alias = table.alias or table.name
            table.replace(exp.alias_(exp.to_table(name), alias, table=True))
        try:
            done = connection.execute(query.sql(dialect="duckdb"))
            shown = [(str(column[0]), _TYPES.get(str(column[1]), "STRING")) for column in done.description or ()]
            return Result(shown, [[_cell(cell) for cell in row] for row in done.fetchall()])
        except duckdb.Error as error:
            raise Failed(f"[INVALID_QUERY] {str(error).splitlines()[0]}") from error


def _within(query: exp.Query) -> tuple[str, ...]:
    """Catalog, or catalog and schema, that a plain query is about: no others need be made for it."""
    where = query.args.get("where")
    if where is None or len(list(query.find_all(exp.Select))) != 1:
        return ()
    named = ["", ""]
    for one in where.this.flatten() if isinstance(where.this, exp.And) else [where.this]:
        if isinstance(one, exp.EQ) and isinstance(one.left, exp.Column) and isinstance(one.right, exp.Literal):
            at = _NAMES.get(one.left.name.lower())
            if at is not None:
                named[at] = one.right.this
    return tuple(named) if all(named) else (named[0],) if named[0] else ()


def _bound(ask: Ask, query: exp.Query) -> None:
    given = {one["name"]: one.get("value") for one in ask.body.get("parameters", ())}
    for mark in list(query.find_all(exp.Placeholder)):
        if mark.name not in given:
            raise Failed(f"[UNBOUND_SQL_PARAMETER] Found the unbound parameter: {mark.name}.")
        value = given[mark.name]
        mark.replace(exp.null() if value is None else exp.Literal.string(str(value)))


def _rows(ask: Ask, table: exp.Table) -> tuple[list[str], list[list[Any]]]:
    catalog = (table.catalog or ask.given("catalog") or "").lower()
    schema, name = (table.db or ask.given("schema") or "").lower(), table.name.lower()
    full = f"{catalog}.{schema}.{name}"
    if schema == "information_schema" and name in VIEWS and (catalog == "system" or ask.estate.find("catalogs", catalog)):
        columns, make = VIEWS[name]
        rows = make(ask.estate, ask.who)
        if catalog != "system":
            rows = [row for row in rows if catalog in row]
        return columns, rows
    if full not in ask.estate.system_tables:
        raise Failed(f"[TABLE_OR_VIEW_NOT_FOUND] The table or view `{catalog}`.`{schema}`.`{name}` cannot be found.")
    held = privileges(ask.estate, identities(ask.estate, ask.who), "table", full)
    if not ask.who.metastore_admin and not {"USE_SCHEMA", "SELECT"} <= held:
        raise Failed(
            f"[INSUFFICIENT_PERMISSIONS] Insufficient privileges: User does not have USE SCHEMA on Schema '{catalog}.{schema}'."
        )
    return ask.estate.system_tables[full]


def _cell(cell: Any) -> str | None:
    match cell:
        case None:
            return None
        case bool():
            return str(cell).lower()
        case dt.datetime():
            return cell.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    return str(cell)


SQL: Answers = {
    ("POST", "/api/2.0/sql/statements"): execute,
    ("GET", "/api/2.0/sql/statements/{}"): status,
    ("POST", "/api/2.0/sql/statements/{}/cancel"): cancel,
    ("GET", "/api/2.0/sql/statements/{}/result/chunks/{}"): chunk,
}
