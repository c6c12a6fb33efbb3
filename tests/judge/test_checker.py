"""Each refusal of the checker: a query that breaks the contract, and what the checker says to write instead."""

from __future__ import annotations

import pytest

from lakewarden.judge.checker import check_query
from lakewarden.rule import Query

GOOD = "SELECT j.*, j.stage = 'production' AS applies, j.run_as_kind = 'service_principal' AS ok FROM jobs j"


def jobs(rest: str, ok: str = "TRUE", applies: str = "TRUE") -> str:
    return f"SELECT j.*, {applies} AS applies, {ok} AS ok FROM jobs j {rest}"


def listed(condition: str, where: str = "t.plane = j.plane AND t.job = j.key", aggregate: str = "any_of") -> str:
    return jobs("", f"(SELECT {aggregate}({condition}) FROM tasks t WHERE {where})")


REFUSED = {
    "not sql": ("SELECT FROM WHERE (", "does not parse"),
    "two statements": (f"{GOOD}; {GOOD}", "exactly one SELECT"),
    "other subject": ("SELECT t.*, TRUE AS applies, TRUE AS ok FROM tasks t", "read FROM jobs"),
    "no star": ("SELECT j.key, TRUE AS applies, TRUE AS ok FROM jobs j", "start with SELECT j.*"),
    "star without a column": ("SELECT j.* EXCLUDE (gap), TRUE AS applies, TRUE AS ok FROM jobs j", "select j.* whole"),
    "star with a replaced column": ("SELECT j.* REPLACE (1 AS gap), TRUE AS applies, TRUE AS ok FROM jobs j", "select j.* whole"),
    "where": (jobs("WHERE j.stage = 'production'"), "WHERE on the subject loses objects"),
    "no ok": ("SELECT j.*, TRUE AS applies FROM jobs j", "return the nullable boolean `ok` once"),
    "own key": ("SELECT j.*, 'x' AS key, TRUE AS applies, TRUE AS ok FROM jobs j", "the column key comes from the subject"),
    "unknown column": (jobs("", "j.colour = 'red'"), "jobs has no column colour"),
    "unknown table": (jobs("LEFT JOIN nothing n ON n.plane = j.plane AND n.key = j.key"), "no fact table nothing"),
    "bare column": (jobs("", "run_as = 'x'"), "say of which table"),
    "exists": (jobs("", "EXISTS (SELECT 1 FROM tasks t WHERE t.job = j.key)"), "EXISTS loses"),
    "in select": (jobs("", "j.key IN (SELECT t.job FROM tasks t)"), "IN (SELECT"),
    "inner join": (jobs("JOIN tasks t ON t.plane = j.plane AND t.job = j.key"), "loses subjects without a match"),
    "join off the key": (jobs("LEFT JOIN tasks t ON t.plane = j.plane AND t.job = j.key"), "by its unique key"),
    "join without plane": (jobs("LEFT JOIN tasks t ON t.key = j.key"), "name the plane"),
    "join without on": (jobs("LEFT JOIN tasks t ON TRUE"), "by its unique key"),
    "join of a sub-select": (jobs("LEFT JOIN (SELECT * FROM tasks) t ON t.key = j.key"), "join a fact table by name"),
    "policy by condition": (jobs("LEFT JOIN policy p ON p.strict"), "CROSS JOIN policy"),
    "self-join without group": (jobs("JOIN jobs o ON o.plane = j.plane"), "GROUP BY ALL"),
    "group without self-join": (jobs("GROUP BY ALL"), "GROUP BY belongs to a self-join"),
    "bool_and": (listed("t.role = 'x'", aggregate="bool_and"), "bool_and passes over"),
    "bool_or": (listed("t.role = 'x'", aggregate="bool_or"), "bool_or passes over"),
    "count": (listed("*", aggregate="count"), "count hides"),
    "coalesce": (jobs("", "coalesce(j.run_as = 'x', FALSE)"), "coalesce turns"),
    "greatest": (jobs("", "greatest(j.max_concurrent_runs, 1) = 1"), "greatest skips"),
    "least": (jobs("", "least(j.max_concurrent_runs, 1) = 1"), "least skips"),
    "like": (jobs("", "j.name LIKE 'prod%'"), "LIKE on names"),
    "ilike": (jobs("", "j.name ILIKE 'prod%'"), "ILIKE on names"),
    "similar to": (jobs("", "j.name SIMILAR TO 'prod.*'"), "SIMILAR TO"),
    "regexp": (jobs("", "regexp_matches(j.name, 'prod')"), "regular expressions"),
    "regexp_full_match": (jobs("", "regexp_full_match(j.name, 'prod')"), "not on the list"),
    "list function": (jobs("", "list_has_any([j.name], ['a'])"), "not on the list"),
    "len": (jobs("", "len(j.name) = 3"), "not on the list"),
    "substring": (jobs("", "substring(j.name, 0, 1) = 'a'"), "not on the list"),
    "json arrow": (jobs("", "(j.name ->> '$.a') = 'a'"), "not on the list"),
    "is null": (jobs("", "j.run_as IS NULL"), "turns not known into an answer"),
    "is true": (jobs("", "(j.run_as = 'x') IS TRUE"), "turns not known into an answer"),
    "is distinct": (jobs("", "j.run_as IS DISTINCT FROM 'x'"), "IS DISTINCT FROM"),
    "is not distinct": (jobs("", "j.run_as IS NOT DISTINCT FROM 'x'"), "IS NOT DISTINCT FROM"),
    "case with else": (jobs("", "CASE WHEN j.run_as = 'x' THEN TRUE ELSE FALSE END"), "CASE can turn"),
    "case answers for a gap": (
        jobs(
            "LEFT JOIN targets t ON t.plane = j.plane AND t.key = j.target",
            "CASE WHEN t.key IS NULL THEN FALSE WHEN t.gap IS NULL THEN TRUE ELSE TRUE END",
        ),
        "CASE can turn",
    ),
    "union": (f"{GOOD} UNION ALL {GOOD}", "UNION judges"),
    "window": (jobs("", "row_number() OVER () = 1"), "window functions"),
    "distinct": ("SELECT DISTINCT j.*, TRUE AS applies, TRUE AS ok FROM jobs j", "DISTINCT loses"),
    "limit": (jobs("LIMIT 5"), "LIMIT loses"),
    "order": (jobs("ORDER BY j.key"), "ORDER BY"),
    "having": (jobs("JOIN jobs o ON o.plane = j.plane GROUP BY ALL HAVING any_of(TRUE)"), "HAVING loses"),
    "qualify": (jobs("QUALIFY TRUE"), "QUALIFY loses"),
    "with": (f"WITH x AS (SELECT 1 AS a) {GOOD}", "WITH hides"),
    "list off its parent": (listed("TRUE", "t.plane = j.plane AND t.name = j.name"), "by its own parent column"),
    "list without parent": (listed("TRUE", "t.plane = j.plane"), "by exactly one parent column"),
    "list without plane": (listed("TRUE", "t.job = j.key"), "name the plane"),
    "condition in the where of a list": (
        listed("TRUE", "t.plane = j.plane AND t.job = j.key AND t.role = 'x'"),
        "put it inside any_of or all_of",
    ),
    "outer column in an aggregate": (listed("t.role = j.kind"), "an outer column inside an aggregate"),
    "key of another table": (listed("TRUE", "t.plane = j.plane AND t.project_key = j.key"), "is no key of projects"),
    "list of a plain column": (
        jobs("", "(SELECT t.role = 'x' FROM tasks t WHERE t.plane = j.plane AND t.job = j.key)"),
        "exactly one any_of",
    ),
    "inner join in a list": (
        jobs(
            "",
            "(SELECT any_of(f.is_test) FROM tasks t JOIN files f ON f.plane = t.plane AND f.key = t.file "
            "WHERE t.plane = j.plane AND t.job = j.key)",
        ),
        "inside a list, look other tables up by LEFT JOIN",
    ),
    "list of a sub-select": (
        jobs("", "(SELECT any_of(x.a) FROM (SELECT TRUE AS a) x)"),
        "read a list FROM one fact table",
    ),
}


def test_a_good_query_is_accepted() -> None:
    assert check_query(Query("jobs", GOOD, "job {name} runs as {run_as}")) == []


@pytest.mark.parametrize(("query", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_refusal_says_what_to_write_instead(query: str, said: str) -> None:
    problems = check_query(Query("jobs", query, "x"))
    assert any(said in problem for problem in problems), problems


def test_message_may_name_only_what_the_query_returns() -> None:
    problems = check_query(Query("jobs", GOOD, "job {nme} runs as {run_as}"))
    assert problems == ["the message of ok names {nme}, which the query does not return"]


def test_unknown_subject() -> None:
    assert check_query(Query("nothing", GOOD, "x")) == ["there is no fact table nothing"]


def test_pivot_is_refused() -> None:
    query = "SELECT j.*, TRUE AS applies, TRUE AS ok FROM (PIVOT jobs ON kind USING count(*)) j"
    assert check_query(Query("jobs", query, "x"))
