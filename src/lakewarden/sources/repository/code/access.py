"""Reads and writes of data: Spark's readers and writers, Delta tables, feature tables, pandas, SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.sources.repository.code import literals, sqlscan
from lakewarden.sources.repository.code.places import data_address, table_address
from lakewarden.sources.repository.code.result import Access, Literal, Span
from lakewarden.sources.repository.code.site import ABSENT, HIDDEN, Site
from lakewarden.sources.repository.code.values import HOLE, NONE, UNKNOWN, Hole, Value, text

if TYPE_CHECKING:
    import ast

    from lakewarden.sources.repository.code.state import State

READER, WRITER, WRITER2 = "DataFrameReader", "DataFrameWriter", "DataFrameWriterV2"
DELTA, BUILDER, FRAME = "delta.DeltaTable", "delta.DeltaTableBuilder", "DataFrame"

_FORMATS = frozenset({"parquet", "csv", "json", "orc", "text", "avro", "xml"})
#: Formats that read or write something else than files of the lake.
_ELSEWHERE = frozenset({
    "jdbc", "kafka", "kinesis", "eventhubs", "snowflake", "bigquery", "redshift", "mongodb", "mongo", "rate", "console",
    "memory", "noop", "sqlserver", "com.microsoft.azure.cosmosdb.spark", "cosmos.oltp", "socket", "pubsub", "sqldw",
    "postgresql", "mysql", "image_generator", "salesforce", "synapsesql", "mlflow-experiment", "es", "org.elasticsearch.spark.sql", "starrocks",
})  # fmt: skip
_V2_WRITES = frozenset({"create", "replace", "createOrReplace", "append", "overwrite", "overwritePartitions"})
_DELTA_WRITES = frozenset({"merge", "update", "delete", "restoreToVersion", "restoreToTimestamp", "updateAll"})
_DELTA_READS = frozenset({"toDF", "history", "detail"})
_PANDAS_READS = frozenset({
    "read_csv", "read_parquet", "read_json", "read_excel", "read_pickle", "read_feather", "read_orc", "read_table", "read_hdf",
    "read_fwf", "read_xml", "read_stata", "read_sas", "read_delta", "read_spark_io",
})  # fmt: skip
FRAME_WRITES = frozenset({
    "to_csv", "to_parquet", "to_json", "to_excel", "to_pickle", "to_feather", "to_orc", "to_hdf", "to_delta", "to_table",
})  # fmt: skip


def of_path(state: State, node: ast.AST | Span, access: str, path: Value, form: Value, *, spark: bool = True) -> None:
    """Keep an access by path."""
    if state.silent:
        return
    template = path.text
    if template is not None and template.startswith(("http://", "https://", "memory:")):
        return
    unclear = []
    if template is not None and "/Volumes/" in template:
        literals.note_volume(state, node, path, is_write=access != "read")
    address = data_address(template, spark=spark) if template is not None else None
    if address is None:
        unclear.append("its path")
    state.access(
        Access(access, address, path.shown, _format(form, unclear), False, state.span(node), template or "", tuple(unclear))
    )


def of_table(state: State, node: ast.AST | Span, access: str, name: Value, form: Value, *, feature: bool | None = None) -> None:
    """Keep an access by name. A name that is not known is still a name."""
    if state.silent:
        return
    unclear: list[str] = []
    template = name.text or ""
    first, _, rest = template.partition(".")
    if rest.startswith("`") and first.lower() in ("delta", "parquet", "csv", "json"):
        of_path(state, node, access, name._replace(text=rest.strip("`")), text(first.lower()))
        return
    literals.note_table(state, node, name, is_write=access != "read")
    if name.shown is None:
        unclear.append("the name of its table")
    shown = None if name.shown is None else name.shown.replace("`", "")
    same = template.replace("`", "").lower() if template.strip(HOLE) else "|".join(hole.name for hole in name.holes) or name.name
    state.access(
        Access(access, table_address(template), shown, _format(form, unclear), feature, state.span(node), same, tuple(unclear))
    )


def _format(form: Value, unclear: list[str]) -> str | None:
    """The format's name; `default` where none is given."""
    if form is NONE or form is ABSENT or (form.type == "const" and form.data is None):
        return "default"
    if form.known is None:
        unclear.append("its format")
        return None
    return form.known.lower()


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
        return base
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
    known = (form.known or "").lower()
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
    if name in ("saveAsTable", "toTable", "insertInto"):
        of_table(state, site.node, "write", site.given("tableName" if name != "saveAsTable" else "name", 0), form)
        if path is not NONE:
            of_path(state, site.node, "write", path, form)
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


def writer2_method(state: State, base: Value, name: str, site: Site) -> Value:
    """A method of `writeTo`: its provider, or the write."""
    form, table = base.data
    if name == "using":
        return base._replace(data=(site.given("provider", 0), table))
    if name in _V2_WRITES:
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
    if name in ("create", "createIfNotExists", "createOrReplace", "replace"):
        return Value(type=BUILDER)
    return UNKNOWN


def delta_method(state: State, base: Value, name: str, site: Site) -> Value:
    """A method of a Delta table or its builder."""
    if base.type == BUILDER:
        if name == "tableName":
            of_table(state, site.node, "write", site.given("identifier", 0), text("delta"))
        elif name == "location":
            of_path(state, site.node, "write", site.given("location", 0), text("delta"))
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
    return Value(type=FRAME) if name in ("read_table", "score_batch") else UNKNOWN


def pandas_read(state: State, ref: str, site: Site) -> Value:
    """A function of pandas that reads a file."""
    name = ref.rpartition(".")[2]
    if name in _PANDAS_READS:
        spark = ref.startswith("pyspark")
        path = site.args[0] if site.args else site.keywords.get("path", site.keywords.get("filepath_or_buffer", UNKNOWN))
        if spark and name == "read_table":
            of_table(state, site.node, "read", path, NONE)
        elif path.type not in ("file", "buffer"):
            of_path(state, site.node, "read", path, text(name.removeprefix("read_")), spark=spark)
    return Value(type="pandas")


def frame_write(state: State, name: str, site: Site) -> None:
    """A method of a data frame that writes a file: kept when its path is known to leave the driver."""
    path = site.args[0] if site.args else site.keywords.get("path", site.keywords.get("path_or_buf", UNKNOWN))
    if name == "to_table":
        if path.text is not None:
            of_table(state, site.node, "write", path, NONE)
    elif path.text is not None and data_address(path.text, spark=False) not in (None, "local"):
        of_path(state, site.node, "write", path, text(name.removeprefix("to_")), spark=False)


def opened(state: State, site: Site) -> Value:
    """`open`: kept when its path is on DBFS; a file that is written to keeps its path."""
    path = site.given("file", 0)
    if path.text is not None and data_address(path.text, spark=False) in ("dbfs", "mount", "volume", "sample"):
        mode = site.given("mode", 1).known or "r"
        writes = any(sign in mode for sign in "wax+")
        of_path(state, site.node, "write" if writes else "read", path, text("file"), spark=False)
    return Value(type="file", data=path)


def mount(state: State, site: Site) -> None:
    """`dbutils.fs.mount`."""
    if not state.silent:
        point = site.given("mount_point", 1)
        unclear = () if point.shown else ("its mount point",)
        state.access(Access("write", "mount", point.shown, "default", False, state.span(site.node), point.text or "", unclear))


def of_sql(state: State, node: ast.AST | Span, query: Value) -> Value:
    """A text of SQL that the code runs."""
    if query.text is None:
        if not state.silent:
            span = state.span(node)
            state.access(Access("read", None, None, None, None, span, "", ("the statement that it runs",)))
        return Value(type=FRAME)
    if not state.silent:
        for found in sqlscan.scan(query.text):
            keep_sql(state, found, query.text, query.holes, state.span(node))
    lower = query.text.lower()
    return Value(type=FRAME, source="user" if "current_user" in lower or "session_user" in lower else "")


def keep_sql(state: State, found: sqlscan.Found, sql: str, holes: tuple[Hole, ...], span: Span) -> None:
    """Keep what a scan of SQL found."""
    own = holes[sql[: found.at].count(HOLE) :][: found.name.count(HOLE)]
    template = found.name
    if sqlscan.is_template(template) and HOLE not in template:
        template = sqlscan.as_hole(template)
        own = tuple(Hole("parameter", "") for _ in range(template.count(HOLE)))
    value = Value(text=template, holes=own)
    if found.kind == "catalog":
        known = value.known
        if known is not None:
            name = known.replace("`", "")
            state.literal(Literal("catalog", name, name.lower(), False, "none", span))
        return
    if found.kind == "move":
        state.moved.add(found.name.replace("`", "").lower())
        return
    if found.is_path:
        of_path(state, span, found.kind, value, text(found.format))
    else:
        of_table(state, span, found.kind, value, text(found.format))
