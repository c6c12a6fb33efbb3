"""Statements of one file in their order: the current catalog and schema, and what a REVOKE takes back."""

from __future__ import annotations

import pytest

from lakewarden.sources.repository.code.result import Span
from lakewarden.sources.repository.sql.follow import Followed, follow
from lakewarden.sources.repository.sql.read import read_statements
from lakewarden.sources.repository.sql.tokens import plain


def followed(sql: str, *, sure: bool = True) -> Followed:
    return follow(read_statements(plain(sql), lambda _: Span(line=1), sure=sure), lambda name: name)


@pytest.mark.parametrize(
    ("used", "name", "expected"),
    [
        ("", "t", "?.?.t"),
        ("", "ml.t", "?.ml.t"),
        ("", "a.b.t", "a.b.t"),
        ("USE CATALOG prod", "t", "prod.default.t"),
        ("USE CATALOG prod", "ml.t", "prod.ml.t"),
        ("USE CATALOG prod; USE ml", "t", "prod.ml.t"),
        ("USE ml", "t", "?.ml.t"),
        ("USE prod.ml", "t", "prod.ml.t"),
        ("USE prod.ml; USE CATALOG dev", "t", "dev.default.t"),
        ("USE CATALOG prod; USE ${s}", "t", "?.?.t"),
        ("USE CATALOG ${c}; USE ml", "t", "?.ml.t"),
        ("USE CATALOG ${e}_ml; USE ml", "t", "?_ml.ml.t"),
        ("USE CATALOG prod; USE raw_${e}", "t", "prod.raw_?.t"),
    ],
)
def test_names_are_completed_by_what_is_current(used: str, name: str, expected: str) -> None:
    (thing,) = followed(f"{used}; CREATE TABLE {name} (x INT)").things
    assert thing.name.same == expected


def test_a_choice_that_may_not_be_made_leaves_it_open() -> None:
    (thing,) = followed("USE CATALOG prod; CREATE TABLE t (x INT)", sure=False).things
    assert thing.name.same == "?.?.t"


def privileges(sql: str) -> list[tuple[str, str | None, str | None]]:
    return [(p.name.same, p.principal, p.privilege) for p in followed(sql).privileges]


GRANT = "GRANT SELECT, MODIFY ON TABLE a.b.c TO g; "


@pytest.mark.parametrize(
    ("revoke", "left"),
    [
        ("REVOKE MODIFY ON TABLE a.b.c FROM g", ["SELECT"]),
        ("REVOKE ALL PRIVILEGES ON TABLE a.b.c FROM g", []),
        ("REVOKE MODIFY ON TABLE a.b.c FROM h", ["SELECT", "MODIFY"]),
        ("REVOKE MODIFY ON TABLE a.b.d FROM g", ["SELECT", "MODIFY"]),
        ("REVOKE MODIFY ON SCHEMA a.b FROM g", ["SELECT", "MODIFY"]),
        ("REVOKE MODIFY ON TABLE ${c}.b.c FROM g", ["SELECT", None]),
        ("REVOKE MODIFY ON TABLE a.b.c FROM ${who}", ["SELECT", None]),
        ("REVOKE ${what} ON TABLE a.b.c FROM g", [None, None]),
        ("DENY MODIFY ON TABLE a.b.c TO g", ["SELECT", "MODIFY"]),
        ("REVOKE MODIFY ON TABLE a.b.c FROM g; GRANT MODIFY ON TABLE a.b.c TO g", ["SELECT", "MODIFY"]),
    ],
)
def test_a_revoke_takes_back_what_was_granted_before(revoke: str, left: list[str | None]) -> None:
    assert [privilege for _, _, privilege in privileges(GRANT + revoke)] == left


def test_a_revoke_before_the_grant_takes_nothing_back() -> None:
    assert len(privileges("REVOKE ALL PRIVILEGES ON TABLE a.b.c FROM g; " + GRANT)) == 2


def test_what_is_outside_every_catalog_needs_none() -> None:
    sql = "USE CATALOG prod; GRANT READ FILES ON EXTERNAL LOCATION l TO g; GRANT CREATE CATALOG ON METASTORE TO g"
    assert [same for same, _, _ in privileges(sql)] == ["l", "metastore"]
