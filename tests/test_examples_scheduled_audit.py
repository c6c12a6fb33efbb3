"""The scheduled audit: our own rules pass its bundle, its job keeps a real history, and its dashboard reads that."""

from __future__ import annotations

import ast
import json
import re
import shutil
import sys
from itertools import combinations
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
import sqlglot
import yaml
from tests.contract import serve
from tests.contract.small import small
from tests.running import CHECKOUT, Ran, commit, lakewarden, run
from tests.snapshots import POLICY, write

from lakewarden.policy.load import load

if TYPE_CHECKING:
    from pathlib import Path

AUDIT = CHECKOUT / "examples" / "scheduled-audit"
DASHBOARD = json.loads((AUDIT / "dashboards" / "audit.lvdash.json").read_text())
QUERIES = {dataset["name"]: "".join(dataset["queryLines"]) for dataset in DASHBOARD["datasets"]}
LAYOUT = [placed for page in DASHBOARD["pages"] for placed in page["layout"]]
OPEN, FENCED = "OPEN", "ISOLATED"


def test_our_own_rules_pass_it(tmp_path: Path) -> None:
    shutil.copytree(AUDIT, tmp_path / "repository")
    commit(tmp_path / "repository")
    ran = lakewarden(tmp_path / "repository", "lint", "--profile", "strict", "--output-format", "json")
    assert (ran.code, ran.json["findings"]) == (0, [])
    assert ran.json["summary"]["pass"] >= 90
    targets = lakewarden(tmp_path / "repository", "facts", "--table", "targets", "--output-format", "json").json["targets"]
    assert {row["name"]: row["stage"] for row in targets} == {"dev": "development", "staging": "staging", "prod": "production"}


def test_its_own_test_passes(tmp_path: Path) -> None:
    shutil.copytree(AUDIT, tmp_path / "repository")
    ran = run(tmp_path / "repository", sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")
    assert ran.code == 0, ran.out


def test_each_target_audits_environments_of_the_policy_and_each_option_exists() -> None:
    bundle = yaml.safe_load((AUDIT / "databricks.yml").read_text())
    known = load(AUDIT / "estate.toml").environments
    for target in bundle["targets"].values():
        assert set(target["variables"]["environments"].split(",")) <= known.keys()
    job = yaml.safe_load((AUDIT / "resources" / "audit.yml").read_text())["resources"]["jobs"]["audit"]
    arguments = job["tasks"][0]["spark_python_task"]["parameters"]
    help_of_audit = lakewarden(CHECKOUT, "audit", "--help").out
    for option in arguments[arguments.index("--") + 1 :]:
        assert f"{option.partition('=')[0]} " in help_of_audit


def test_the_notebook_reads_what_the_audit_writes() -> None:
    tree = ast.parse((AUDIT / "src" / "publish.py").read_text())
    (tables,) = [node.elts for node in ast.walk(tree) if isinstance(node, ast.Tuple)]
    read = {
        table.name for query in QUERIES.values() for table in sqlglot.parse_one(query, "databricks").find_all(sqlglot.exp.Table)
    }
    made = {cte.alias for query in QUERIES.values() for cte in sqlglot.parse_one(query, "databricks").find_all(sqlglot.exp.CTE)}
    assert read - made == {ast.literal_eval(table) for table in tables}


def audited(folder: Path, catalogs: dict[str, str | None], day: str, *, whole: bool = True) -> Ran:
    """Run the script of the job over a snapshot, with a folder as the volume."""
    write(folder / "estate.snap", catalogs, day=day, whole=whole)
    (folder / "volume").mkdir(exist_ok=True)
    wishes = ("--policy=lakewarden.toml", "--snapshot=estate.snap", "--select=ENV007,DAT005", "--fail-on-new")
    return run(folder, sys.executable, AUDIT / "src" / "audit.py", "--volume=volume", "--secrets=none", "--", *wishes)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The volume after four audits: a violation, one more, one of them mended, the other out of sight."""
    pytest.importorskip("deltalake")
    folder = tmp_path_factory.mktemp("job")
    (folder / "lakewarden.toml").write_text(POLICY)
    days: list[tuple[str, dict[str, str | None]]] = [
        ("2026-03-01", {"prod1": OPEN, "prod2": FENCED}),
        ("2026-03-02", {"prod1": OPEN, "prod2": OPEN}),
        ("2026-03-03", {"prod1": OPEN, "prod2": FENCED}),
        ("2026-03-04", {"prod1": OPEN, "prod2": None, "prod3": OPEN}),
    ]
    codes = []
    for day, catalogs in days:
        ran = audited(folder, catalogs, day)
        codes.append(re.findall(r"ended with exit code (\d)", ran.err))
        assert (ran.code == 0) == (codes[-1] == []), ran.err
    assert codes == [["1"], ["1"], [], ["1"]]
    return folder / "volume"


@pytest.fixture(scope="module")
def tables(kept: Path) -> duckdb.DuckDBPyConnection:
    """The Delta tables of the volume as a warehouse would have them."""
    import deltalake

    connection = duckdb.connect()
    for name in ("audits", "rules", "verdicts"):
        batches = deltalake.QueryBuilder().register("t", deltalake.DeltaTable(str(kept / "history" / name)))
        found: Any = batches.execute("SELECT * FROM t")
        found = found.fetchall() if hasattr(found, "fetchall") else list(found)
        import arro3.core

        whole = arro3.core.Table.from_batches(found)  # noqa: F841 - DuckDB reads it by its name
        connection.execute(f"CREATE TABLE {name} AS SELECT * FROM whole")
    return connection


def asked(tables: duckdb.DuckDBPyConnection, name: str) -> list[dict[str, Any]]:
    (query,) = sqlglot.transpile(QUERIES[name], read="databricks", write="duckdb")
    cursor = tables.execute(query)
    columns = [column[0] for column in cursor.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def test_the_newest_report_stands_beside_the_history(kept: Path) -> None:
    report = json.loads((kept / "newest.json").read_text())
    assert {f["subject"] for f in report["findings"] if f["verdict"] == "fail"} == {"m/prod3"}


def test_the_dashboard_tells_of_the_newest_audit(tables: duckdb.DuckDBPyConnection) -> None:
    (newest,) = asked(tables, "newest")
    assert (newest["day"], newest["exit_code"], newest["errors"], newest["not_known"]) == ("2026-03-04", 1, 2, 1)
    found = {(row["subject"], row["code"]): row["first_seen"] for row in asked(tables, "violations")}
    assert found == {("m/prod1", "ENV007"): "2026-03-01", ("m/prod3", "ENV007"): "2026-03-04"}
    assert [(row["recommendation"], row["violations"]) for row in asked(tables, "recommendations")] == [("Environments", 2)]


def test_the_dashboard_tells_how_it_changed(tables: duckdb.DuckDBPyConnection) -> None:
    errors = {str(row["day"]): row["objects"] for row in asked(tables, "trend") if row["verdict"] == "error"}
    assert errors == {"2026-03-01": 1, "2026-03-02": 2, "2026-03-03": 1, "2026-03-04": 2}
    rules = {row["code"]: row for row in asked(tables, "coverage")}
    assert (rules["ENV007"]["judged"], rules["ENV007"]["not_known"], rules["ENV007"]["decided_percent"]) == (3, 1, 66.7)
    assert rules["DAT005"]["not_asked"] or rules["DAT005"]["judged"]


def test_each_widget_shows_columns_that_its_query_returns(tables: duckdb.DuckDBPyConnection) -> None:
    shown = set()
    for placed in LAYOUT:
        widget = placed["widget"]
        for one in widget.get("queries", ()):
            query = one["query"]
            shown.add(query["datasetName"])
            names = {field["name"] for field in query["fields"]}
            assert all(field["expression"] == f"`{field['name']}`" for field in query["fields"])
            assert names <= asked(tables, query["datasetName"])[0].keys()
            encoded = set(re.findall(r'"fieldName": "(\w+)"', json.dumps(widget["spec"])))
            assert encoded == names
    assert shown == QUERIES.keys()


def test_widgets_have_names_of_their_own_and_do_not_overlap() -> None:
    names = [placed["widget"]["name"] for placed in LAYOUT]
    assert len(names) == len(set(names))
    for one, other in combinations([placed["position"] for placed in LAYOUT], 2):
        beside = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
        below = one["y"] + one["height"] <= other["y"] or other["y"] + other["height"] <= one["y"]
        assert beside or below
    assert all(placed["position"]["x"] + placed["position"]["width"] <= 6 for placed in LAYOUT)


@pytest.mark.slow
def test_the_privileges_are_enough_to_see_everything(tmp_path: Path) -> None:
    granted = re.findall(r"^GRANT (.+?) ON (\w+)", (AUDIT / "sql" / "privileges.sql").read_text(), re.MULTILINE)
    assert ("READ METADATA", "METASTORE") in granted
    estate = small()
    auditor = estate.user("scheduled@example.com", workspace_admin=True)
    estate.grant("metastore", estate.metastore_id, "scheduled@example.com", ["READ_METADATA"])
    (tmp_path / "lakewarden.toml").write_text('[environments.production]\ncatalogs = ["prod"]\n')
    with serve(estate) as server:
        ran = lakewarden(
            tmp_path, "doctor", "--workspace", server.url, "--output-format", "json",
            DATABRICKS_TOKEN=auditor.token, DATABRICKS_HOST="", DATABRICKS_CONFIG_FILE=str(tmp_path / "none"),
        )  # fmt: skip
    assert [unlock["sql"] for unlock in ran.json["unlocks"] if unlock["sql"] and "system" not in unlock["sql"]] == []
