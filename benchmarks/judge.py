"""How long a rule takes over a small and over a very large estate: CPU seconds for each rule, both ends in one run.

    python benchmarks/judge.py [--tables 1000000] [--grants 10] [RULE …]

The facts are made inside the engine, column-wise; only the judging is measured. Budget at 1,000,000 tables with
10,000,000 grants: 2 s for each rule, 20 s for all that read grants, 2 GiB.
"""

from __future__ import annotations

import argparse
import resource
import time
from typing import TYPE_CHECKING

from lakewarden.engines.duckdb import DuckDBEngine
from lakewarden.facts.fact import TABLES
from lakewarden.judge.catalogue import load_rules, tables_of
from lakewarden.policy.model import Policy, policy_row

if TYPE_CHECKING:
    from lakewarden.rule import Rule

#: Rules over tables, grants and owners.
RULES = ("DAT001", "DAT003", "DAT005", "DAT006", "DAT007", "DAT008", "DAT011", "DAT012")
SMALL, LARGE = 100, 1_000_000
_PRINCIPALS = 5_000


def estate(tables: int, grants_of_each: int) -> DuckDBEngine:
    """An engine with `tables` tables in production and development catalogs, each with `grants_of_each` grants."""
    engine = DuckDBEngine(tables)
    engine.load({name: [] for name in TABLES}, policy_row(Policy()))
    put = engine.connection.execute
    catalog = "'c' || (i % 40)"
    stage = "CASE WHEN i % 40 < 20 THEN 'production' ELSE 'development' END"
    put(
        f"""INSERT INTO catalog_tables BY NAME SELECT 'm/' || i AS key, 'deployed' AS plane, {catalog} || '.s.t' || i AS name,
        {catalog} AS catalog, 'MANAGED' AS table_type, 'DELTA' AS format, CASE WHEN i % 3 = 0 THEN 'feature' ELSE 'raw' END AS layer,
        {stage} AS environment, {stage} AS stage, i AS origin FROM range({tables}) t(i)"""
    )
    put(
        """INSERT INTO securables BY NAME SELECT key, plane, 'table' AS kind, catalog, 'ml-owners' AS owner,
        'group' AS owner_kind, environment, stage, origin FROM catalog_tables"""
    )
    put(
        "INSERT INTO table_keys BY NAME SELECT key || '/id' AS key, plane, key AS catalog_table, 'PRIMARY KEY' AS kind, "
        "FALSE AS is_timeseries, FALSE AS nullable FROM catalog_tables"
    )
    principal = f"'group:g' || ((i * 7 + n) % {_PRINCIPALS})"
    privilege = "CASE WHEN n = 9 AND i % 100 = 0 THEN 'MODIFY' ELSE 'SELECT' END"
    # What a table is reached by is mostly granted on its schema: ten times fewer grants than effective ones.
    for table, number in (("effective_grants", tables), ("grants", tables // 10)):
        rest = (
            "FALSE AS to_owner"
            if table == "effective_grants"
            else f"{catalog} AS catalog, 'group' AS principal_kind, {stage} AS environment, {stage} AS stage"
        )
        put(
            f"""INSERT INTO {table} BY NAME SELECT 'm/' || i || '/' || n AS key, 'deployed' AS plane, 'm/' || i AS securable,
            {principal} AS principal, {privilege} AS privilege, {rest}
            FROM range({number}) t(i), range({grants_of_each}) g(n)"""
        )
    put(
        f"""INSERT INTO principal_summary BY NAME SELECT 'group:g' || i AS key, 'deployed' AS plane, i % 50 = 9 AS has_person,
        FALSE AS is_ingestion, FALSE AS is_deploy, FALSE AS is_promote, FALSE AS is_break_glass
        FROM range({_PRINCIPALS}) t(i)"""
    )
    for name in TABLES:
        counted = engine.connection.execute(f"SELECT count(*) FROM {name}").fetchone()
        engine.size[name] = counted[0] if counted else 0
    return engine


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
    arguments = parser.parse_args()
    catalogue = load_rules()
    for tables in (SMALL, arguments.tables):
        engine = estate(tables, arguments.grants)
        total = grants = 0.0
        print(f"{tables:,} tables with {tables * arguments.grants:,} grants")
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
