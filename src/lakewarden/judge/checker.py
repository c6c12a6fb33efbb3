"""The static checker of rules: refuses every form of query through which missing evidence could come out as a pass.

It reads the parsed query (sqlglot), in tests for our own rules and before each run for those of users. Each refusal is a
sentence that says what to write instead.
"""

from __future__ import annotations

from string import Formatter
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp

import lakewarden.facts.model  # noqa: F401  (defines the tables)
from lakewarden.facts.fact import TABLES
from lakewarden.judge.checker_evidence import check_joins, check_list

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.rule import Query, Rule

#: Functions with equal results on DuckDB and Spark.
ALLOWED_FUNCTIONS = frozenset({"any_of", "all_of", "min", "lower", "upper"})

_REFUSED: tuple[tuple[type[exp.Expression], str], ...] = (
    (exp.Exists, "EXISTS loses what is not known: write (SELECT any_of(…) FROM … )"),
    (exp.Coalesce, "coalesce turns not known into a value: leave it NULL, the judge says unknown"),
    (exp.Like, "LIKE on names matches what it should not (`_` is a wildcard): let the source classify the name"),
    (exp.ILike, "ILIKE on names matches what it should not: let the source classify the name"),
    (exp.SimilarTo, "SIMILAR TO on names: let the source classify the name"),
    (exp.RegexpLike, "regular expressions differ between engines: let the source classify the name"),
    (exp.Count, "count hides what is not known: write any_of or all_of"),
    (exp.LogicalAnd, "bool_and passes over what is not known: write all_of"),
    (exp.LogicalOr, "bool_or passes over what is not known: write any_of"),
    (exp.Greatest, "greatest skips NULL on DuckDB and not on Spark: compare with AND and OR"),
    (exp.Least, "least skips NULL on DuckDB and not on Spark: compare with AND and OR"),
    (exp.NullSafeEQ, "IS NOT DISTINCT FROM treats not known as a value: write ="),
    (exp.NullSafeNEQ, "IS DISTINCT FROM treats not known as a value: write <>"),
    (exp.Union, "UNION judges an object twice: write queries=(Query(…), Query(…))"),
    (exp.Window, "window functions lose the three-valued logic: write a self-join with any_of or all_of"),
    (exp.Distinct, "DISTINCT loses objects: each row of the subject comes back once without it"),
    (exp.Limit, "LIMIT loses objects: leave it out"),
    (exp.Order, "ORDER BY changes no verdict: leave it out, reports sort"),
    (exp.Having, "HAVING loses objects: give the condition a name and list it in message"),
    (exp.Qualify, "QUALIFY loses objects: give the condition a name and list it in message"),
    (exp.Pivot, "PIVOT differs between engines: let the store prepare the shape"),
    (exp.With, "WITH hides where evidence comes from: read tables directly, or let the store prepare a closure"),
)


def check_rule(rule: Rule) -> list[str]:
    """Everything that is wrong with a rule's queries and messages; empty for a good rule."""
    problems: list[str] = []
    for query in rule.queries:
        problems += [f"{rule.code} on {query.subject}: {problem}" for problem in check_query(query)]
    return problems


def check_query(query: Query) -> list[str]:
    """Everything that is wrong with one query and its message."""
    if query.subject not in TABLES:
        return [f"there is no fact table {query.subject}"]
    try:
        parsed = sqlglot.parse(query.query, dialect="duckdb")
    except sqlglot.errors.SqlglotError as problem:
        return [f"the query does not parse: {str(problem).splitlines()[0]}"]
    if len(parsed) != 1 or not isinstance(parsed[0], exp.Select):
        return ["write exactly one SELECT"] + [said for kind, said in _REFUSED if parsed[0] is not None and parsed[0].find(kind)]
    select = parsed[0]
    return [*_refused(select), *_subject(select, query), *_columns(select, query), *_messages(select, query)]


def _refused(select: exp.Select) -> Iterator[str]:
    """Forms that are refused wherever they stand."""
    for kind, said in _REFUSED:
        if select.find(kind):
            yield said
    if any(node.args.get("query") is not None for node in select.find_all(exp.In)):
        yield "IN (SELECT …) with a NULL inside is never false: write (SELECT any_of(…) FROM …)"
    for function in select.find_all(exp.Func):
        name = function.name.lower() if isinstance(function, exp.Anonymous) else function.sql_name().lower()
        known = isinstance(function, (exp.Case, exp.If, exp.And, exp.Or, exp.Exists, exp.Coalesce, exp.Count))
        if name not in ALLOWED_FUNCTIONS and not known:
            yield f"{name}() is not on the list of functions that give equal results on DuckDB and Spark: let the source prepare the value"
    for node in select.find_all(exp.Is):
        column = node.this
        if not (isinstance(node.expression, exp.Null) and isinstance(column, exp.Column) and column.name in ("key", "gap")):
            yield f"`{node.sql()}` turns not known into an answer: only `key IS NULL` and `gap IS NULL` of a joined table may be asked"
    for case in select.find_all(exp.Case):
        if not _harmless(case):
            yield "CASE can turn not known into a value: write AND, OR and NOT, or the existence idiom CASE WHEN t.key IS NULL THEN FALSE WHEN t.gap IS NULL THEN TRUE END"


def _harmless(case: exp.Case) -> bool:
    """Does a CASE decide only by what is never NULL: keys, planes, or whether a joined row is there?"""
    tests = [branch.this for branch in case.args["ifs"]]
    if case.this is not None:
        return isinstance(case.this, exp.Column) and case.this.name in ("plane", "key")
    if all(isinstance(t, exp.Is) for t in tests):
        # An ELSE after `gap IS NULL` would answer for what was not seen.
        return case.args.get("default") is None or not any(t.this.name == "gap" for t in tests)
    return all(c.name == "plane" for t in tests for c in t.find_all(exp.Column))


def _subject(select: exp.Select, query: Query) -> Iterator[str]:
    """The frame: SELECT s.*, … FROM subject s, each row once."""
    source = select.args.get("from_") or select.args.get("from")
    if source is None or not isinstance(source.this, exp.Table) or source.this.name != query.subject:
        yield f"read FROM {query.subject} s first: the subject's rows are what is judged"
        return
    alias = source.this.alias_or_name
    first = select.expressions[0] if select.expressions else None
    if not (isinstance(first, exp.Column) and isinstance(first.this, exp.Star) and first.table == alias):
        yield f"start with SELECT {alias}.*, so that key, plane, origin and gap come along"
    elif first.this.args.get("except_") or first.this.args.get("replace"):
        yield f"select {alias}.* whole: what is left out of it cannot be judged"
    if select.args.get("where") is not None:
        yield "WHERE on the subject loses objects: put the condition into applies"
    yield from check_joins(select, query.subject, alias)
    for sub in select.find_all(exp.Select):
        if sub is not select:
            yield from check_list(sub, select, query.subject, alias)


def _columns(select: exp.Select, query: Query) -> Iterator[str]:
    """Outputs and inputs are there."""
    outputs = [e.alias_or_name for e in select.expressions[1:]]
    for name in ("applies", *query.conditions):
        if outputs.count(name) != 1:
            yield f"return the nullable boolean `{name}` once"
    for name in outputs:
        if name in ("key", "plane", "project", "environment", "stage", "gap", "origin", "verdict"):
            yield f"the column {name} comes from the subject: give yours another name"
    yield from _inputs(select)


def _inputs(select: exp.Select) -> Iterator[str]:
    """Each column that is read is one of the model's."""
    tables: dict[str, str] = {t.alias_or_name: t.name for t in select.find_all(exp.Table)}
    for column in select.find_all(exp.Column):
        table = tables.get(column.table)
        if isinstance(column.this, exp.Star):
            continue
        if not column.table:
            yield f"say of which table the column {column.name} is"
        elif table is None:
            yield f"there is no table {column.table} in the query"
        elif table in TABLES and column.name not in TABLES[table].columns:
            yield f"{table} has no column {column.name}"
    for table in tables.values():
        if table != "policy" and table not in TABLES:
            yield f"there is no fact table {table}"


def _messages(select: exp.Select, query: Query) -> Iterator[str]:
    """Each placeholder of a message is a column."""
    known = {*TABLES[query.subject].columns, *(e.alias_or_name for e in select.expressions[1:]), "target", "file"}
    for condition, message in query.conditions.items():
        for _, field, _, _ in Formatter().parse(message.text):
            if field is not None and field not in known:
                yield f"the message of {condition} names {{{field}}}, which the query does not return"
