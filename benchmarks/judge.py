"""How long rules take over a small and over a very large estate: CPU seconds for each rule, both ends in one run.

    python benchmarks/judge.py [--tables 1000000] [--grants 10] [RULE …]
    python benchmarks/judge.py --whole [--tables 100000]

The facts are made inside the engine, column-wise, with keys as long as those of a metastore; only the judging is measured.
Budget at 1,000,000 tables with 10,000,000 grants, 10,000 models with 100,000 versions: 2 s for each rule, 20 s for all that
read grants, 2 GiB. With --whole the facts are rows as collectors make them, and all that a run does with them is measured.
"""

from __future__ import annotations

import argparse
import gc
import resource
import time
from multiprocessing import Process
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from estate import METASTORE, POLICY, write

from lakewarden.cli.live import audited
from lakewarden.engines.duckdb import DuckDBEngine
from lakewarden.engines.embedded import EmbeddedEngine
from lakewarden.facts import snapshot
from lakewarden.facts.fact import TABLES
from lakewarden.facts.store import prepare
from lakewarden.judge.catalogue import load_rules, tables_of
from lakewarden.judge.judge import rule_all, tables_needed
from lakewarden.policy.model import Policy, policy_row
from lakewarden.sources.platform.audit import filled_by_collectors

if TYPE_CHECKING:
    from lakewarden.rule import Rule

#: Rules over tables, grants and owners, models and versions.
RULES = (
    *("DAT001", "DAT003", "DAT005", "DAT006", "DAT007", "DAT008", "DAT011", "DAT012"),
    *("REG001", "REG005", "REG006", "REG008", "REG012", "DEP002", "DEP004", "DEP005", "DEP006", "DEP007", "DEP015"),
)
SMALL, LARGE = 100, 1_000_000
_PRINCIPALS, _CHUNKS = 5_000, 10


def estate(tables: int, grants_of_each: int) -> DuckDBEngine:
    """An engine with `tables` tables in production and development catalogs, each with `grants_of_each` effective grants, a
    model for each hundred of them, with ten versions each.
    """
    engine = DuckDBEngine(tables * (grants_of_each + 4))
    engine.load({name: [] for name in TABLES}, policy_row(Policy()))
    put = engine.connection.execute
    catalog = "'c' || (i % 40)"
    key = f"'{METASTORE}/c' || (i % 40) || '.schema_' || (i % 2000) || '.table_' || i"
    stage = "CASE WHEN i % 40 < 20 THEN 'production' ELSE 'development' END"
    put(
        f"""INSERT INTO catalog_tables BY NAME SELECT {key} AS key, 'deployed' AS plane, {catalog} || '.s.t' || i AS name,
        {catalog} AS catalog, 'MANAGED' AS table_type, 'DELTA' AS format, CASE WHEN i % 3 = 0 THEN 'feature' ELSE 'raw' END AS layer,
        'use' AS layer_by, {stage} AS environment, {stage} AS stage, i AS origin FROM range({tables}) t(i)"""
    )
    put(
        """INSERT INTO securables BY NAME SELECT key, plane, 'table' AS kind, catalog, 'ml-owners' AS owner,
        'group' AS owner_kind, environment, stage, origin FROM catalog_tables"""
    )
    put(
        "INSERT INTO table_keys BY NAME SELECT key || '/id' AS key, plane, key AS catalog_table, 'PRIMARY KEY' AS kind, "
        "FALSE AS is_timeseries, FALSE AS nullable FROM catalog_tables"
    )
    principal = f"'group:team-' || ((i * 7 + n) % {_PRINCIPALS})"
    privilege = "CASE WHEN n = 9 AND i % 100 = 0 THEN 'MODIFY' ELSE 'SELECT' END"
    # What a table is reached by is mostly granted on its schema: ten times fewer grants than effective ones.
    for table, number in (("effective_grants", tables), ("grants", tables // 10)):
        rest = (
            "FALSE AS to_owner"
            if table == "effective_grants"
            else f"{catalog} AS catalog, 'group' AS principal_kind, {stage} AS environment, {stage} AS stage"
        )
        for chunk in range(_CHUNKS):
            put(
                f"""INSERT INTO {table} BY NAME SELECT {key} || '/' || n AS key, 'deployed' AS plane, {key} AS securable,
                {principal} AS principal, {privilege} AS privilege, i AS origin, {rest}
                FROM range({number * chunk // _CHUNKS}, {number * (chunk + 1) // _CHUNKS}) t(i), range({grants_of_each}) g(n)"""
            )
            put("CHECKPOINT")
    put(
        f"""INSERT INTO principal_summary BY NAME SELECT 'group:team-' || i AS key, 'deployed' AS plane, i % 50 = 9 AS has_person,
        FALSE AS is_ingestion, FALSE AS is_deploy, FALSE AS is_promote, FALSE AS is_break_glass
        FROM range({_PRINCIPALS}) t(i)"""
    )
    _models(engine, max(1, tables // 100))
    for name in TABLES:
        counted = engine.connection.execute(f"SELECT count(*) FROM {name}").fetchone()
        engine.size[name] = counted[0] if counted else 0
    return engine


def _models(engine: DuckDBEngine, models: int) -> None:
    """Models with ten versions each, an alias, tags, runs and job runs."""
    put = engine.connection.execute
    model = f"'{METASTORE}/c' || (i % 40) || '.schema_' || (i % 2000) || '.model_' || i"
    stage = "CASE WHEN i % 40 < 20 THEN 'production' ELSE 'development' END"
    place = f"'c' || (i % 40) AS catalog, {stage} AS environment, {stage} AS stage"
    put(
        f"""INSERT INTO models BY NAME SELECT {model} AS key, 'deployed' AS plane, 'unity_catalog' AS registry, TRUE AS consumed,
        {place}, i AS origin FROM range({models}) t(i)"""
    )
    put(
        f"""INSERT INTO model_versions BY NAME SELECT {model} || '/' || n AS key, 'deployed' AS plane, {model} AS model,
        'READY' AS status, n = 9 AS live, 'w/run-' || i || '-' || n AS run, 'w/' || (i * 10 + n) AS job_run, 'none' AS copied_from,
        'none' AS copied_catalog, 'service_principal:train' AS created_by, FALSE AS before_policy, TRUE AS has_signature,
        n > 0 AS has_description, {stage} AS run_stage, {place}, i AS origin FROM range({models}) t(i), range(10) v(n)"""
    )
    put(
        f"""INSERT INTO model_aliases BY NAME SELECT {model} || '@champion' AS key, 'deployed' AS plane, {model} AS model,
        'champion' AS alias, TRUE AS is_champion, {model} || '/9' AS version_key, {place} FROM range({models}) t(i)"""
    )
    put(
        """INSERT INTO model_version_tags BY NAME SELECT key || '/owner' AS key, plane, key AS version_key, 'owner' AS name,
        FALSE AS is_approval, FALSE AS set_by_creator, FALSE AS inherited, catalog, environment, stage FROM model_versions"""
    )
    put(
        "INSERT INTO required_tags BY NAME SELECT key || '/owner' AS key, plane, key AS version_key, TRUE AS present "
        "FROM model_versions"
    )
    put("INSERT INTO runs BY NAME SELECT run AS key, plane, job_run, origin FROM model_versions")
    put("INSERT INTO job_runs BY NAME SELECT job_run AS key, plane, origin FROM model_versions")
    put("INSERT INTO run_commit BY NAME SELECT run AS key, plane FROM model_versions")
    put(
        """INSERT INTO model_identities BY NAME SELECT key || '/sp' AS key, plane, key AS model, TRUE AS registers,
        FALSE AS promotes FROM models"""
    )
    put("CHECKPOINT")


def whole(file: Path) -> None:
    """Judge a snapshot, and print what each step cost and how much memory the process has had by then."""
    begin = time.process_time()

    def told(step: str) -> None:
        nonlocal begin
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"  {step:44} {time.process_time() - begin:7.2f} s CPU   peak {peak:,.0f} MiB", flush=True)
        begin = time.process_time()

    gc.disable()  # as the command line does while it runs
    rules = [rule for code, rule in load_rules().items() if not code.startswith("LW")]
    facts = snapshot.read(file, to_judge=True).facts
    tables, grants = len(facts.rows["catalog_tables"]), len(facts.rows["grants"])
    print(f"{tables:,} tables with {grants:,} grants, {sum(map(len, facts.rows.values())):,} facts")
    told("read")
    judged = audited(POLICY, facts, filled_by_collectors(), None)
    needed = tables_needed(rules, judged.filled, judged.planes)
    prepared = prepare(facts, POLICY, filled=judged.filled, needed=needed, planes=judged.planes, command="audit")
    rows = sum(map(len, prepared.rows.values()))
    told(f"places, closures, placeholders: {rows:,} rows")
    queries = [query.query for rule in rules for query in rule.queries]
    rulings = dict(rule_all(rules, EmbeddedEngine(prepared.rows, policy_row(POLICY), queries), judged.filled, judged.planes))
    counted = sum(ruling.judged for ruling in rulings.values())
    crashed = [ruling.rule.code for ruling in rulings.values() if ruling.crashed]
    told(f"load the engine, ask {len(rulings)} rules: {counted:,} verdicts")
    gc.enable()
    if crashed:
        raise SystemExit(f"rules crashed: {' '.join(crashed)}")


def judge(rule: Rule, engine: DuckDBEngine) -> tuple[float, int, int]:
    """CPU seconds, objects and objects that are no pass, of one rule."""
    begin = time.process_time()
    rows = told = 0
    for query in rule.queries:
        if engine.size[query.subject]:
            answer = engine.ask(query.subject, query.query, list(query.conditions))
            if not answer.whole:
                raise SystemExit(f"{rule.code} lost objects")
            rows += answer.rows
            told += len(answer.told)
    return time.process_time() - begin, rows, told


def main() -> None:
    """Print a line for each rule and size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, default=LARGE, help="tables at the large end")
    parser.add_argument("--grants", type=int, default=10, help="grants of each table")
    parser.add_argument("rules", nargs="*", metavar="RULE", help=f"codes (default: {' '.join(RULES)})")
    parser.add_argument("--snapshot", type=Path, help="with --whole: the snapshot, made if it is not there", metavar="FILE")
    parser.add_argument("--whole", action="store_true", help="measure all that a run does with collected facts")
    arguments = parser.parse_args()
    if arguments.whole:
        with TemporaryDirectory() as folder:
            file = arguments.snapshot or Path(folder, "estate.snap")
            if not file.exists():  # in another process, whose memory is not ours
                making = Process(target=write, args=(file, arguments.tables, arguments.grants))
                making.start()
                making.join()
            whole(file)
        return
    catalogue = load_rules()
    for tables in (SMALL, arguments.tables):
        engine = estate(tables, arguments.grants)
        total = grants = 0.0
        print(
            f"{tables:,} tables with {tables * arguments.grants:,} grants, {tables // 100:,} models with {tables // 10:,} versions"
        )
        for code in arguments.rules or RULES:
            rule = catalogue[code]
            seconds, rows, told = judge(rule, engine)
            total += seconds
            if any("grants" in table for query in rule.queries for table in tables_of(query)):
                grants += seconds
            print(f"  {code}  {seconds:7.3f} s CPU   {rows:>12,} objects   {told:>9,} no pass")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"  all    {total:7.3f} s CPU   rules that read grants: {grants:.3f} s   peak so far {peak:,.0f} MiB")


if __name__ == "__main__":
    main()
