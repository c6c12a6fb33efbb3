"""Reads and writes of data: Spark's readers and writers, Delta tables, feature tables, pandas, SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.sources.repository.code import declared, sqlscan
from lakewarden.sources.repository.code.formats import format_of
from lakewarden.sources.repository.code.places import data_address
from lakewarden.sources.repository.code.result import Access, Literal, Span, Unread
from lakewarden.sources.repository.code.site import ABSENT, HIDDEN, Site
from lakewarden.sources.repository.code.touched import of_path, of_table, used
from lakewarden.sources.repository.code.values import HOLE, NONE, UNKNOWN, Value, is_late, text
from lakewarden.sources.repository.sql.read import read_statements
from lakewarden.sources.repository.sql.tokens import plain

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable

    from lakewarden.sources.repository.code.state import State
    from lakewarden.sources.repository.sql.tokens import Text

READER, WRITER, WRITER2 = "DataFrameReader", "DataFrameWriter", "DataFrameWriterV2"
DELTA, BUILDER, FRAME = "delta.DeltaTable", "delta.DeltaTableBuilder", "DataFrame"

_FORMATS = frozenset({"parquet", "csv", "json", "orc", "text", "avro", "xml"})
#: Formats that read or write something else than files of the lake.
_ELSEWHERE = frozenset({
    "jdbc", "kafka", "kinesis", "eventhubs", "snowflake", "bigquery", "redshift", "mongodb", "mongo", "rate", "console",
    "memory", "noop", "sqlserver", "com.microsoft.azure.cosmosdb.spark", "cosmos.oltp", "socket", "pubsub", "sqldw",
    "postgresql", "mysql", "image_generator", "salesforce", "synapsesql", "mlflow-experiment", "es", "org.elasticsearch.spark.sql", "starrocks",
})  # fmt: skip
#: How files of settings end.
_SETTINGS = (".yaml", ".yml", ".toml", ".ini", ".cfg", ".conf", ".properties")
_V2_WRITES = frozenset({"create", "replace", "createOrReplace", "append", "overwrite", "overwritePartitions"})
_DELTA_WRITES = frozenset({"merge", "update", "delete", "restoreToVersion", "restoreToTimestamp", "updateAll"})
_DELTA_READS = frozenset({"toDF", "history", "detail"})
_PANDAS_READS = frozenset({
    "read_csv", "read_parquet", "read_json", "read_excel", "read_pickle", "read_feather", "read_orc", "read_table", "read_hdf",
    "read_fwf", "read_xml", "read_stata", "read_sas", "read_delta", "read_spark_io", "read_file", "read_ndjson", "read_avro",
    "scan_csv", "scan_parquet", "scan_delta", "scan_ndjson", "scan_ipc", "read_ipc",
})  # fmt: skip
FRAME_WRITES = frozenset({
    "to_csv", "to_parquet", "to_json", "to_excel", "to_pickle", "to_feather", "to_orc", "to_hdf", "to_delta", "to_table",
    "write_parquet", "write_csv", "write_delta", "write_json", "write_ndjson",
})  # fmt: skip


def session_method(state: State, name: str, site: Site) -> Value:
    """A method of a Spark session."""
    if name == "sql":
        return of_sql(state, site.node, site.given("sqlQuery", 0))
    if name == "table":
        of_table(state, site.node, "read", site.given("tableName", 0), NONE)
        return Value(type=FRAME)
    return Value(type=FRAME) if name in ("createDataFrame", "range") else UNKNOWN


def reader_method(state: State, base: Value, name: str, site: Site) -> Value:
    """A method of a reader: its format and options, or what it reads."""
    form, path = base.data
    if name == "format":
        return base._replace(data=(site.given("source", 0), path))
    if name == "option":
        return base._replace(data=(form, site.given("value", 1))) if site.given("key", 0).known == "path" else base
    if name in ("options", "schema"):
        return base._replace(data=(form, site.keywords["path"])) if name == "options" and "path" in site.keywords else base
    if name == "table":
        of_table(state, site.node, "read", site.given("tableName", 0), form)
    elif name == "load":
        _load(state, site, "read", form, path)
    elif name in _FORMATS:
        for given in _paths(site):
            of_path(state, site.node, "read", given, text(name))
    return Value(type=FRAME, source="stream" if base.source == "stream" else "")


def _load(state: State, site: Site, access: str, form: Value, path: Value) -> None:
    given = site.get(("path", 0))
    late = site.get(("format", 1))
    if late is not ABSENT and late is not HIDDEN:
        form = late
    known = format_of(form.known or "")
    if known in _ELSEWHERE or "jdbc" in known:
        return
    if known.startswith("cloudfiles"):
        state.signs.add("ingestion")
    if given is ABSENT:
        given = path
        if given is NONE:
            return
    for item in given.data if given.type == "list" else (UNKNOWN if given is HIDDEN else given,):
        of_path(state, site.node, access, item, form)


def _paths(site: Site) -> tuple[Value, ...]:
    """The paths that a reader is given, singly or as a list."""
    given = (site.keywords["path"],) if "path" in site.keywords else site.args
    found: list[Value] = []
    for value in given[:20]:
        found.extend(value.data if value.type == "list" else (value,))
    return tuple(found) or (UNKNOWN,)


def writer_method(state: State, base: Value, name: str, site: Site) -> Value:
    """A method of a writer: its format and options, or where it writes to."""
    form, path = base.data
    late = site.get(("format", -1))
    if late is not ABSENT and late is not HIDDEN and name in ("save", "saveAsTable", "toTable", "start"):
        form = late
    if name in ("format", "using"):
        return base._replace(data=(site.given("source", 0) if name == "format" else site.given("provider", 0), path))
    if name == "option" and site.given("key", 0).known == "path":
        return base._replace(data=(form, site.given("value", 1)))
    if name == "options" and "path" in site.keywords:
        return base._replace(data=(form, site.keywords["path"]))
    if name in ("saveAsTable", "toTable", "insertInto"):
        _write_table(state, name, site, form, path)
    elif name == "table" and base.source == "stream":
        of_table(state, site.node, "write", site.given("tableName", 0), form)
    elif name in ("save", "start"):
        _load(state, site, "write", form, path)
    elif name in _FORMATS:
        of_path(state, site.node, "write", site.given("path", 0), text(name))
    elif name in ("jdbc", "synapsesql", "foreachBatch"):
        return base._replace(data=(text("jdbc"), NONE)) if name == "foreachBatch" else UNKNOWN
    else:
        return base
    return UNKNOWN


def _write_table(state: State, name: str, site: Site, form: Value, path: Value) -> None:
    table = site.given("tableName" if name != "saveAsTable" else "name", 0)
    if name != "insertInto":
        declared.made_by_write(state, site.node, table)
    of_table(state, site.node, "write", table, form)
    path = site.keywords.get("path", path) if name == "saveAsTable" else path
    if path is not NONE:
        given = path.text is not None or (path.name != "" and path.symbol[:1] != ("arg",))  # else it may be None
        of_path(state, site.node, "write", path, NONE, of_table=given)


def writer2_method(state: State, base: Value, name: str, site: Site) -> Value:
    """A method of `writeTo`: its provider, or the write."""
    form, table = base.data
    if name == "using":
        return base._replace(data=(site.given("provider", 0), table))
    if name in _V2_WRITES:
        if name in ("create", "createOrReplace", "replace"):
            declared.made_by_write(state, site.node, table)
        of_table(state, site.node, "write", table, form)
        return UNKNOWN
    return base


def delta_class(state: State, name: str, site: Site) -> Value:
    """A static method of `DeltaTable`."""
    if name in ("forPath", "forName"):
        target = site.given("path" if name == "forPath" else "tableOrViewName", 1)
        if name == "forPath":
            of_path(state, site.node, "read", target, text("delta"))
        else:
            of_table(state, site.node, "read", target, text("delta"))
        return Value(type=DELTA, data=(name, target))
    if name == "convertToDelta":
        target = site.given("identifier", 1)
        form, _, path = (target.text or "").partition(".")
        if path.startswith("`") and form.lower() in _FORMATS:
            of_path(state, site.node, "write", target._replace(text=path.strip("`")), text("delta"))
        else:
            of_table(state, site.node, "write", target, text("delta"))
        return Value(type=DELTA)
    if name in ("create", "createIfNotExists", "createOrReplace", "replace"):
        return Value(type=BUILDER)
    return UNKNOWN


def delta_method(state: State, base: Value, name: str, site: Site) -> Value:
    """A method of a Delta table or its builder."""
    if base.type == BUILDER:
        if name == "tableName":
            declared.made_by_write(state, site.node, site.given("identifier", 0))
            of_table(state, site.node, "write", site.given("identifier", 0), text("delta"))
        elif name == "location":
            of_path(state, site.node, "write", site.given("location", 0), text("delta"), of_table=True)
        return base
    if name == "alias":
        return base
    if name in _DELTA_WRITES and base.data is not None:
        how, target = base.data
        (of_path if how == "forPath" else of_table)(state, site.node, "write", target, text("delta"))
    return Value(type=FRAME) if name in _DELTA_READS else UNKNOWN


def feature_method(state: State, name: str, site: Site) -> Value:
    """A method of the feature engineering client that touches a feature table."""
    access = {"create_table": "write", "create_feature_table": "write", "write_table": "write", "read_table": "read",
              "drop_table": "drop"}.get(name)  # fmt: skip
    if access is not None:
        of_table(state, site.node, access, site.given("name", 0), NONE, feature=True)
        if access == "write":
            declared.made_by_client(state, name, site)
    elif name == "register_table":
        declared.registered(state, site)
    return Value(type=FRAME) if name in ("read_table", "score_batch") else UNKNOWN


#: Libraries of data frames that read files as pandas does, and those of them that read as Spark does.
FRAME_LIBRARIES = (
    "pandas",
    "pyspark.pandas",
    "polars",
    "dask.dataframe",
    "modin.pandas",
    "geopandas",
    "databricks.koalas",
    "pyarrow.parquet",
)
_BY_SPARK = ("pyspark", "databricks.koalas")
_SOURCES = ("path", "filepath_or_buffer", "source", "io", "filename")


def lines_of(state: State, name: str, site: Site) -> Value:
    """Text files that Spark reads, or writes, without a data frame."""
    if name.startswith("save"):
        of_path(state, site.node, "write", site.given("path", 0), text("text"))
    else:
        of_path(state, site.node, "read", site.given("name" if name == "textFile" else "path", 0), text("text"))
    return UNKNOWN


def pandas_read(state: State, ref: str, site: Site) -> Value:
    """A function of pandas that reads a file."""
    name = ref.rpartition(".")[2]
    if name in _PANDAS_READS:
        spark = ref.startswith(_BY_SPARK)
        path = site.args[0] if site.args else next((site.keywords[key] for key in _SOURCES if key in site.keywords), UNKNOWN)
        if spark and name == "read_table":
            of_table(state, site.node, "read", path, NONE)
        elif path.type not in ("file", "buffer"):
            of_path(state, site.node, "read", path, text(name.removeprefix("read_").removeprefix("scan_")), spark=spark)
    return Value(type="pandas")


def frame_write(state: State, name: str, site: Site) -> None:
    """A method of a data frame that writes a file: kept when its path is known to leave the driver."""
    given = [site.keywords[key] for key in ("path", "path_or_buf", "file", "target") if key in site.keywords]
    path = site.args[0] if site.args else given[0] if given else UNKNOWN
    form = text(name.removeprefix("to_").removeprefix("write_"))
    if name == "to_table":
        if path.text is not None:
            of_table(state, site.node, "write", path, NONE)
    elif path.text is not None and data_address(path.text, spark=False) not in (None, "local"):
        of_path(state, site.node, "write", path, form, spark=False)
    elif is_late(path):
        of_path(state, site.node, "write", path, form, spark=False, doubted=True)


def opened(state: State, site: Site) -> Value:
    """`open`: kept when its path is on DBFS; a file that is written to keeps its path."""
    path = site.given("file", 0)
    known_address = data_address(path.text, spark=False) if path.text is not None else None
    if (path.text or "").endswith(_SETTINGS) or path.known in state.of_shell:
        return Value(type="file", data=path)  # settings are no data, nor is what the shell of the notebook hands over
    if known_address in ("dbfs", "mount", "volume", "sample") or (known_address is None and is_late(path)):
        mode = site.given("mode", 1).known or "r"
        access = "write" if any(sign in mode for sign in "wax+") else "read"
        of_path(state, site.node, access, path, text("file"), spark=False, doubted=known_address is None)
    return Value(type="file", data=path)


def mount(state: State, site: Site) -> None:
    """`dbutils.fs.mount`."""
    if not state.silent:
        point = site.given("mount_point", 1)
        unclear = () if point.shown else ("its mount point",)
        state.access(Access("write", "mount", point.shown, "default", False, state.span(site.node), point.text or "", unclear))


def created(state: State, site: Site) -> None:
    """`spark.catalog.createTable`: a table, and the path that it is to have."""
    form = site.get(("source", 2))
    of_table(state, site.node, "write", site.given("tableName", 0), NONE if form is ABSENT or form is HIDDEN else form)
    path = site.get(("path", 1))
    if path.text is not None or is_late(path):
        of_path(state, site.node, "write", path, NONE if form is ABSENT or form is HIDDEN else form)


def of_sql(state: State, node: ast.AST | Span, query: Value) -> Value:
    """A text of SQL that the code runs."""
    if query.text is None:
        if not state.silent:
            span = state.span(node)
            state.access(Access("read", None, None, None, None, span, "", ("the statement that it runs",)))
            state.statements.append(Unread("any", "the statement that it runs is not known before the code runs", span))
        return Value(type=FRAME)
    if not state.silent:
        span = state.span(node)
        read_sql(state, plain(query.text, query.holes), lambda _: span, sure=getattr(node, "col_offset", 0) == 0)
    lower = query.text.lower()
    return Value(type=FRAME, source="user" if "current_user" in lower or "session_user" in lower else "")


def read_sql(state: State, sql: Text, place: Callable[[int], Span], *, sure: bool) -> None:
    """Keep what a text of SQL reads, writes and declares; `place` tells where something in it stands."""
    for found in sqlscan.scan(sql):
        _keep_sql(state, found, place(found.at))
    state.statements.extend(read_statements(sql, place, sure=sure))


def _keep_sql(state: State, found: sqlscan.Found, span: Span) -> None:
    """Keep what a scan of SQL found."""
    value = Value(text=found.name, holes=found.holes)
    if found.kind == "catalog":
        known = value.known
        if known is not None:
            name = known.replace("`", "")
            state.literal(Literal("catalog", name, name.lower(), False, "none", span))
        used(state, span, value)
    elif found.kind == "schema":
        catalog = found.name.replace("`", "").partition(".")[0].strip()
        if catalog and HOLE not in catalog:
            state.literal(Literal("schema", value.shown or catalog, catalog.lower(), False, "none", span, True))
    elif found.kind == "move":
        state.moved.add(found.name.replace("`", "").lower())
    elif found.is_path:
        if found.is_arrival:
            state.signs.add("ingestion")
        of_path(state, span, found.kind, value, text(found.format), of_table=found.is_place)
    else:
        of_table(state, span, found.kind, value, text(found.format))
