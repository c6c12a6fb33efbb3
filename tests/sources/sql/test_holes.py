"""A hole is never a known name, and hiding a part of a statement only takes knowledge away."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lakewarden.sources.repository.code.result import Granted, Hole, Made, Owned, Span, SqlName, SqlStatement
from lakewarden.sources.repository.code.values import HOLE
from lakewarden.sources.repository.sql.follow import Followed, compatible, follow
from lakewarden.sources.repository.sql.names import full_name, parts_of
from lakewarden.sources.repository.sql.read import read_statements
from lakewarden.sources.repository.sql.tokens import plain

#: Each way to write a name that is filled in later.
TEMPLATES = [
    "${x}", "{{ x }}", "{{x}}", "{x}", ":x", "IDENTIFIER(:x)", "%(x)s", "$x", "getArgument('x')", "IDENTIFIER(:x || :y)", HOLE,
    "${x}_${y}", "IDENTIFIER(concat(:x, 'a'))",
]  # fmt: skip
WORDS = st.sampled_from(["prod", "dev", "ml", "raw", "features", "`a-b`", "select_1"])


def read(sql: str) -> list[SqlStatement]:
    return list(read_statements(plain(sql), lambda _: Span(line=1)))


def followed(sql: str) -> Followed:
    return follow(read(sql), lambda name: name)


def knowledge(sql: str) -> list[tuple[object, ...]]:
    """What is known after the statements: None for all that is not."""
    found = followed(sql)
    told: list[tuple[object, ...]] = [(p.kind, p.name.known, p.name.catalog, p.principal, p.privilege) for p in found.privileges]
    told += [(o.kind, o.name.known, o.name.catalog, o.owner) for o in found.owners]
    for thing in found.things:
        assert isinstance(thing.statement, Made)
        told.append((thing.kind, thing.name.known, thing.name.catalog, thing.statement.keys))
    return told


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize(
    "sql",
    [
        "GRANT SELECT ON TABLE ? TO g",
        "GRANT SELECT ON TABLE a.b.c TO ?",
        "ALTER TABLE ? OWNER TO g",
        "CREATE TABLE ? (id INT PRIMARY KEY)",
        "ALTER TABLE ? ADD CONSTRAINT k PRIMARY KEY (id)",
        "USE CATALOG ?; CREATE TABLE b.c (id INT)",
        "USE ?; CREATE TABLE c (id INT)",
    ],
)
def test_no_template_is_a_known_name(template: str, sql: str) -> None:
    told = knowledge(sql.replace("?", template))
    assert len(told) == 1
    assert None in told[0]
    assert not any(isinstance(value, str) and ("x" in value or HOLE in value) for value in told[0])


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("CREATE TABLE ${catalog}.ml.t (x INT)", "{catalog}.ml.t"),
        ("CREATE TABLE {{ catalog }}.ml.t (x INT)", "{catalog}.ml.t"),
        ("CREATE TABLE IDENTIFIER(:catalog || '.ml.' || :table) (x INT)", "{catalog}.ml.{table}"),
        ("CREATE TABLE `${catalog}`.`ml`.t (x INT)", "{catalog}.ml.t"),
        ("CREATE TABLE IDENTIFIER(upper(:x)) (x INT)", "{x}"),
    ],
)
def test_a_hole_is_shown_by_its_name(sql: str, shown: str) -> None:
    (thing,) = followed(sql).things
    assert thing.name.shown == shown
    assert thing.name.known is None


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT '{\"a\": 1}', col:field.sub, x::int, map{'a': 1}, '12:30' FROM t",
        "SELECT * FROM t WHERE a LIKE '$%' AND b > 1",
        "SELECT regexp_extract(a, '^(x)$', 1)",
    ],
)
def test_what_is_no_template_of_a_name_does_no_harm(sql: str) -> None:
    assert read(f"{sql}; USE CATALOG prod")[0].name == SqlName("prod")  # type: ignore[union-attr]


NAMES = st.lists(WORDS, min_size=1, max_size=3)
STATEMENTS = st.sampled_from(
    [
        ("GRANT SELECT ON TABLE {} TO `g`", 3),
        ("GRANT SELECT ON SCHEMA {} TO `g`", 2),
        ("GRANT ALL PRIVILEGES ON CATALOG {} TO `g`", 1),
        ("ALTER TABLE {} OWNER TO `g`", 3),
        ("CREATE TABLE {} (id INT PRIMARY KEY)", 3),
        ("CREATE SCHEMA {}", 2),
    ]
)


@given(
    st.lists(st.tuples(STATEMENTS, NAMES), min_size=1, max_size=3),
    st.lists(st.tuples(st.sampled_from(["USE CATALOG {}", "USE SCHEMA {}"]), WORDS), max_size=2),
    st.data(),
)
def test_a_hole_in_place_of_a_name_only_takes_knowledge_away(
    chosen: list[tuple[tuple[str, int], list[str]]], used: list[tuple[str, str]], data: st.DataObject
) -> None:
    texts = [pattern.format(word) for pattern, word in used]
    texts += [pattern.format(".".join(names[-levels:])) for (pattern, levels), names in chosen]
    before = knowledge("; ".join(texts))
    number = data.draw(st.integers(0, len(texts) - 1))
    words = [word for word in ("prod", "dev", "ml", "raw", "features", "select_1") if word in texts[number]]
    assume(words)
    hidden = texts[number].replace(data.draw(st.sampled_from(words)), "${x}", 1)
    after = knowledge("; ".join([*texts[:number], hidden, *texts[number + 1 :]]))
    assert len(after) == len(before)
    for seen, less in zip(before, after, strict=True):
        assert all(b is None or a == b for a, b in zip(seen, less, strict=True))


@given(
    st.lists(WORDS, min_size=1, max_size=3),
    st.sampled_from(["table", "schema", "catalog", "external_location"]),
    st.none() | WORDS,
    st.none() | WORDS,
)
def test_a_full_name_has_the_levels_of_its_kind(words: list[str], kind: str, catalog: str | None, schema: str | None) -> None:
    full = full_name(SqlName(".".join(words)), kind, catalog, schema)
    levels = {"table": 3, "schema": 2, "catalog": 1, "external_location": 1}[kind]
    assert len(full.parts) == max(levels, len(words) if kind != "external_location" else 1)
    if len(words) >= levels and kind != "external_location":
        assert full.known == ".".join(words).replace("`", "")


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a.b.c", ("a", "b", "c")),
        ("`a.b`.C", ("a.b", "c")),
        ("a . `b`", ("a", "b")),
        ("", ()),
        (f"{HOLE}_x.b", (f"{HOLE}_x", "b")),
    ],
)
def test_the_levels_of_a_name(name: str, parts: tuple[str, ...]) -> None:
    assert parts_of(name) == parts


@pytest.mark.parametrize(
    ("one", "other", "may"),
    [
        ("a.b.c", "a.b.c", True),
        ("a.b.c", "a.b.d", False),
        ("?.b.c", "a.b.c", True),
        ("?.?.c", "a.b.c", True),
        ("?.?.c", "a.b.d", False),
        ("dev_?.b.c", "dev_x.b.c", True),
        ("dev_?.b.c", "prod_x.b.c", False),
        ("?_ml.b.c", "dev_?.b.c", True),
        ("?_ml.b.c", "x_raw.b.c", False),
        ("a.b", "a.b.c", False),
    ],
)
def test_names_that_may_be_the_same(one: str, other: str, may: bool) -> None:
    assert compatible(one, other) is may
    assert compatible(other, one) is may


def test_the_holes_of_code_are_those_of_the_text() -> None:
    text = plain(f"GRANT SELECT ON TABLE {HOLE}.ml.{HOLE} TO `${{group}}`", (Hole("parameter", "catalog"), Hole("", "table")))
    (granted,) = read_statements(text, lambda _: Span())
    assert isinstance(granted, Granted)
    assert granted.name is not None
    assert [hole.name for hole in granted.name.holes] == ["catalog", "table"]
    assert [hole.name for hole in granted.principals[0].holes] == ["group"]


def test_names_of_owners_and_grants_may_be_holes() -> None:
    (owned,) = read("ALTER SCHEMA a.b OWNER TO `${env}-owners`")
    assert isinstance(owned, Owned)
    assert owned.owner.text == f"{HOLE}-owners"
    assert followed("ALTER SCHEMA a.b OWNER TO `${env}-owners`").owners[0].owner is None
