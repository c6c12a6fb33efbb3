"""Tables that Python creates: by writing a data frame, or through the feature engineering client with their keys."""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import TYPE_CHECKING

from lakewarden.sources.repository.code.result import Hole, KeyColumn, Made, Span, SqlName, Unread, Used
from lakewarden.sources.repository.code.site import ABSENT, HIDDEN, Site
from lakewarden.sources.repository.code.values import HOLE, Value, storable
from lakewarden.sources.repository.sql.read import read_statements
from lakewarden.sources.repository.sql.tokens import plain

if TYPE_CHECKING:
    from lakewarden.sources.repository.code.state import State

#: How SQL begins that grants, or makes somebody an owner; and how much of a text is looked at.
_BEGINNINGS = ("GRANT ", "REVOKE ", "ALTER ")
_LONGEST = 60
#: What runs a statement on Databricks.
_STATEMENTS = frozenset({"execute_statement", "execute_sql", "run_sql"})
#: Methods that every database has, and the libraries of others.
_CURSORS = frozenset({"execute", "executemany", "query"})
_DATABASES = frozenset(
    {"sqlite3", "psycopg", "psycopg2", "asyncpg", "sqlalchemy", "pyodbc", "pymysql", "mysql", "snowflake", "duckdb"}
)
_CREATES = frozenset({"create_table", "create_feature_table"})
#: How the time of a time-series key is named, newest first.
_TIMES = ("timeseries_column", "timeseries_columns", "timestamp_keys")


def made_by_write(state: State, node: ast.AST, name: Value) -> None:
    """Keep a table that a write creates where it is not there; a table that is not known has no name."""
    if not state.silent and name is not ABSENT and name is not HIDDEN:
        state.statements.append(Made("create", "table", name_of(name), state.span(node), "MANAGED"))


def made_by_pipeline(state: State, node: ast.AST, name: Value, keys: tuple[KeyColumn, ...] | None) -> None:
    """Keep a table that a pipeline defines."""
    if not state.silent:
        state.statements.append(Made("create", "table", name_of(name), state.span(node), "MATERIALIZED_VIEW", keys))


def keys_of_schema(schema: Value) -> tuple[KeyColumn, ...] | None:
    """The primary key in the `schema` of a table of a pipeline; None where it may hold one that is not seen."""
    if schema is ABSENT or (schema.type == "const" and schema.data is None):
        return ()
    if schema.text is None:
        return None
    found = next(read_statements(plain(f"CREATE TABLE t ({schema.text})", schema.holes), lambda _: Span()), None)
    return found.keys if isinstance(found, Made) else None


def chosen(state: State, node: ast.AST, kind: str, name: Value) -> None:
    """Keep that the current catalog or schema is chosen."""
    if not state.silent:
        sure = getattr(node, "col_offset", 0) == 0
        state.statements.append(Used(kind, name_of(name), state.span(node), sure))


def noted(state: State, node: ast.AST | Span, value: Value) -> None:
    """Keep a text that begins like a grant, for the case that a text which is not known is run in the file."""
    if (value.text or "")[:_LONGEST].lstrip().upper().startswith(_BEGINNINGS):
        state.perhaps.append((value, state.span(node)))


def handed_on(state: State, node: ast.Call, site: Site) -> None:
    """Read a text of SQL that is handed to a function which runs it, going by its name."""
    func = node.func
    name = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
    if state.silent or name == "sql" or _runs().search(name.lower()) is None:
        return
    if name in _CURSORS and not _of_databricks(state):
        return
    given = site.keywords.get("statement", site.args[0] if site.args else None)
    if name in _STATEMENTS and given is not None and given.text is None:
        state.statements.append(Unread("any", "the statement that it runs is not known before the code runs", state.span(node)))
    for value in (*site.args[:2], *site.keywords.values()):
        if (value.text or "")[:_LONGEST].lstrip().upper().startswith(_BEGINNINGS):
            _read(state, value, state.span(node))


def perhaps_run(state: State) -> None:
    """Read the texts that were kept, where the file runs a text that is not known: it may be one of them."""
    if any(isinstance(statement, Unread) and statement.verb == "any" for statement in state.statements):
        for value, span in state.perhaps:
            _read(state, value, span)


def _read(state: State, value: Value, span: Span) -> None:
    found = read_statements(plain(value.text or "", value.holes), lambda _: span, sure=False)
    state.statements.extend(statement for statement in found if not isinstance(statement, Unread))  # prose may begin like it


def _of_databricks(state: State) -> bool:
    """Does the file speak to Databricks, and to no other database?"""
    tops = {found.module.split(".", 1)[0] for found in state.imports}
    return "databricks" in tops and tops.isdisjoint(_DATABASES)


@cache
def _runs() -> re.Pattern[str]:
    return re.compile(r"sql|query|execute|grant|statement|ddl")


def made_by_client(state: State, method: str, site: Site) -> None:
    """Keep a feature table that the client creates, or writes."""
    if state.silent:
        return
    keys = _keys(site) if method in _CREATES else ()
    verb = "create" if method in _CREATES else "write"
    name = name_of(site.given("name", 0))
    state.statements.append(Made(verb, "table", name, state.span(site.node), "MANAGED", keys, is_feature=True))


def registered(state: State, site: Site) -> None:
    """Keep a table that the client of the old feature store registers with its keys."""
    if not state.silent:
        name = name_of(site.given("delta_table", 0))
        state.statements.append(Made("key", "table", name, state.span(site.node), "none", _keys(site), is_feature=True))


def name_of(value: Value) -> SqlName:
    """A name as SQL would write it."""
    kept = storable(value)
    if kept is None or kept.text is None:
        return SqlName(HOLE, () if kept is None else (_hole(value),))
    return SqlName(kept.text, kept.holes)


def _hole(value: Value) -> Hole:
    return Hole(value.source, value.name, value.place)


def _keys(site: Site) -> tuple[KeyColumn, ...] | None:
    """The primary key that a call gives; None where it may give one that is not seen."""
    given = site.get(("primary_keys", 1))
    if given is ABSENT:
        given = site.get(("keys", -1))
    if given is ABSENT or (given.type == "const" and given.data is None):
        return ()
    if given is HIDDEN:
        return None
    times = [value for name in _TIMES if (value := site.get((name, -1))) is not ABSENT]
    time_known = HIDDEN not in times and all(_columns(value) is not None for value in times)
    names = dict.fromkeys(name for value in times for name in _columns(value) or ())
    columns = _columns(given)
    found = [KeyColumn(name, name in names or (None if not time_known else False)) for name in columns or ()]
    found.extend(KeyColumn(name, True) for name in names if name not in (columns or ()))
    if columns is None:
        found.append(KeyColumn(None, False if time_known else None))
    if times and not time_known and HIDDEN not in times:
        found.append(KeyColumn(None, True))
    return tuple(found)


def _columns(value: Value) -> tuple[str, ...] | None:
    """The columns that an argument names, None where they are not known."""
    if value.known is not None:
        return (value.known.lower(),)
    if value.type == "const" and value.data is None:
        return ()
    if value.type != "list":
        return None
    names = [item.known for item in value.data]
    return None if None in names else tuple(str(name).lower() for name in names)
