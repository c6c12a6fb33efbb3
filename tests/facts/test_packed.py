"""Large tables: packed rows are what a list of them would be, and judged as such."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakewarden.engines.duckdb import DuckDBEngine
from lakewarden.engines.embedded import EmbeddedEngine
from lakewarden.engines.shape import only_looked_at
from lakewarden.facts import packed, snapshot
from lakewarden.facts.collect import Facts
from lakewarden.facts.fact import TABLES
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.data import Catalog, CatalogTable, Schema
from lakewarden.facts.model.identity import Grant, Securable
from lakewarden.facts.origin import Origin
from lakewarden.facts.store import Prepared, prepare
from lakewarden.judge.catalogue import load_rules, tables_of
from lakewarden.judge.judge import rule_all, tables_needed
from lakewarden.policy.model import Policy, policy_row
from lakewarden.testing.examples import read_examples
from lakewarden.testing.facts import facts_of, policy_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LIVE = frozenset({"deployed", "observed"})
NAMES = st.sampled_from(["m/a", "m/a.b", "m/a.b.c", "m/z"])
GRANTS = st.lists(
    st.builds(
        lambda number, on, who, at: Grant(key=f"{on}/{number}", plane="deployed", securable=on, principal=who, origin=at),
        st.integers(0, 9),
        NAMES,
        st.sampled_from(["group:g", "user:\x1fu", None]),
        st.sampled_from([None, Origin(url="https://a"), Origin(url="https://b", time="t")]),
    ),
    max_size=12,
)


@pytest.fixture(scope="module", autouse=True)
def _small() -> Iterator[None]:
    """Every table is large, and pieces have three rows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packed, "MANY", 0)
        patch.setattr(packed, "PIECE", 3)
        yield


def plain(rows: Any) -> list[dict[str, Any]]:
    """The columns of facts or rows, without what is not known."""
    values = (row if isinstance(row, dict) else row.__dict__ for row in rows)
    return [{name: value for name, value in sorted(one.items()) if value is not None} for one in values]


@given(rows=GRANTS, more=GRANTS)
def test_packed_facts_are_a_list(rows: list[Grant], more: list[Grant]) -> None:
    found = packed.packed("grants", rows)
    copy = found.copy()
    copy.extend(more)
    assert (len(found), len(copy)) == (len(rows), len(rows) + len(more))
    assert plain(found) == plain(rows)
    assert plain(copy) == plain(copy[:]) == plain([*rows, *more])
    assert plain(copy[at] for at in range(-len(copy), len(copy))) == plain([*rows, *more] * 2)
    with pytest.raises(IndexError):
        copy[len(copy)]


@given(rows=GRANTS.filter(bool), at=st.integers(0, 11), one=GRANTS.filter(bool))
def test_a_packed_fact_can_be_put_in_its_place_and_taken_away(rows: list[Grant], at: int, one: list[Grant]) -> None:
    at %= len(rows)
    changes: list[Callable[[Any], None]] = [
        lambda x: x.__setitem__(at, one[0]),
        lambda x: x.insert(at, one[0]),
        lambda x: x.pop(at),
    ]
    for change in changes:
        expected, found = list(rows), packed.packed("grants", rows)
        reader = iter(found)
        change(expected)
        change(found)
        found.append(one[0])
        assert plain(found) == plain([*expected, one[0]])
        assert plain(reader) == plain(rows)


@given(rows=GRANTS, wanted=st.frozensets(NAMES))
def test_packed_facts_are_asked_as_a_list_is(rows: list[Grant], wanted: frozenset[str]) -> None:
    found, names = packed.packed("grants", rows), ("plane", "principal", "key")
    assert list(packed.columns(found, *names)) == list(packed.columns(rows, *names))
    assert list(dict.fromkeys(packed.distinct(found, *names))) == list(dict.fromkeys(packed.distinct(rows, *names)))
    assert plain(packed.within(found, "securable", wanted)) == plain(packed.within(rows, "securable", wanted))
    assert list(packed.columns_within(found, "securable", wanted, *names)) == list(
        packed.columns_within(rows, "securable", wanted, *names)
    )


def all_of(prepared: Prepared) -> tuple[Any, ...]:
    return {name: plain(rows) for name, rows in prepared.rows.items()}, prepared.origins, prepared.gaps


@pytest.mark.parametrize("path", sorted((Path(__file__).parents[1] / "rules").rglob("*.md")), ids=lambda path: path.stem)
def test_every_example_is_prepared_alike(path: Path) -> None:
    rules = load_rules()
    for example in read_examples(path):
        needed = frozenset(table for query in rules[example.code].queries for table in tables_of(query)) & TABLES.keys()
        policy = policy_of(example)
        found = []
        for pack in (False, True):
            facts, filled, planes = facts_of(example, policy)
            with pytest.MonkeyPatch.context() as patch:
                if pack:
                    facts.rows = {name: packed.packed(name, rows) for name, rows in facts.rows.items()}
                else:
                    patch.setattr(packed, "MANY", 1_000)
                found.append(all_of(prepare(facts, policy, filled=filled, needed=needed, planes=planes)))
        assert found[1] == found[0], example


def estate(*refused: str) -> Facts:
    """An estate of which the grants of some objects could not be read."""
    facts = Facts()
    at = Origin(url="https://w/api", time="2026-01-01T00:00:00Z")
    with facts.listing(*(TABLES.keys() - {"grants", "effective_grants"}), plane="deployed"):
        facts.add(Catalog(key="m/prod", plane="deployed", name="prod", origin=at))
        facts.add(*(Schema(key=f"m/prod.s{n}", plane="deployed", catalog="prod", origin=at) for n in range(3)))
        for number in range(12):
            name = f"prod.s{number % 3}.t{number}"
            facts.add(
                CatalogTable(key=f"m/{name}", plane="deployed", name=name, catalog="prod", table_type="MANAGED", format="DELTA",
                             layer="feature", layer_by="use", declared_in="none", origin=Origin(url=f"https://w/{number}"))
            )  # fmt: skip
            owner = None if number == 5 else "g"
            facts.add(Securable(key=f"m/{name}", plane="deployed", kind="table", catalog="prod", owner=owner, owner_kind="group"))
        for number, on in enumerate(["prod", "prod.s0", "prod.s1.t1", "prod.s1.t1", "prod.s2.t2", "prod.s2.t5"]):
            who = None if number == 3 else "group:g" if number % 2 else "user:ann"
            facts.add(
                Grant(key=f"m/{on}/{number}", plane="deployed", securable=f"m/{on}", catalog="prod", named="prod", principal=who,
                      principal_kind=who and who.partition(":")[0], privilege="MODIFY", origin=at)
            )  # fmt: skip
    for key in [row.key for table in ("catalogs", "schemas", "catalog_tables") for row in facts.rows[table]]:
        with facts.listing("grants", plane="deployed", of=key):
            if key in refused:
                facts.gap(Gap(Cause.REFUSED, "grants", "no", "GRANT it", "deployed", parent=key))
    return facts


def ruled(facts: Facts, engine_of: Callable[..., Any]) -> dict[str, Any]:
    rules = [rule for code, rule in load_rules().items() if not code.startswith("LW")]
    needed = tables_needed(rules, frozenset(TABLES), LIVE)
    prepared = prepare(facts, Policy(), filled=frozenset(TABLES), needed=needed, planes=LIVE, command="audit")
    engine = engine_of(prepared.rows, [query.query for rule in rules for query in rule.queries])
    rulings = rule_all(rules, engine, frozenset(TABLES), LIVE)
    return {
        code: (one.judged, one.passed, one.not_applicable, one.crashed, [plain([row]) for _, row in one.told])
        for code, one in rulings.items()
    }


def in_duckdb(rows: Any, queries: list[str]) -> DuckDBEngine:
    engine = DuckDBEngine()
    engine.load(rows, policy_row(Policy()), only_looked_at(queries))
    return engine


@pytest.mark.parametrize("refused", [(), ("m/prod",), ("m/prod.s1", "m/prod.s0.t3")])
def test_a_packed_snapshot_is_judged_as_any_other(tmp_path: Path, refused: tuple[str, ...]) -> None:
    header = snapshot.Header("1", (), "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", (), (), {})
    snapshot.write(tmp_path / "e.snap", header, estate(*refused))
    large = snapshot.read(tmp_path / "e.snap", to_judge=True).facts
    assert isinstance(large.rows["grants"], packed.Packed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packed, "MANY", 1_000)
        small = snapshot.read(tmp_path / "e.snap").facts
        assert isinstance(small.rows["grants"], list)
        expected = ruled(small, lambda rows, queries: EmbeddedEngine(rows, policy_row(Policy()), queries))
    assert expected["DAT012"][:2] != (0, 0)
    assert ruled(large, in_duckdb) == expected


def test_a_key_that_stands_twice_in_a_large_table_is_told_once_and_as_a_gap() -> None:
    facts = estate()
    facts.add(Catalog(key="m/prod", plane="deployed", name="other"))
    found = prepare(facts, Policy(), filled=frozenset(TABLES), needed=frozenset({"catalogs"}), planes=LIVE)
    assert [(row["key"], row["name"]) for row in found.rows["catalogs"]] == [("m/prod", "prod")]
    assert "two catalogs have the key m/prod" in [gap.reason for gap in found.gaps]


@pytest.fixture(scope="module")
def engine() -> DuckDBEngine:
    engine = DuckDBEngine()
    engine.load({"catalogs": []}, {"x": 1})
    return engine


@settings(deadline=None, max_examples=50)
@given(texts=st.lists(st.none() | st.text(st.sampled_from("a\x1e\x1f'\n"), max_size=3), min_size=2, max_size=9))
def test_texts_that_are_handed_over_as_one_come_back(engine: DuckDBEngine, texts: list[str | None]) -> None:
    engine.connection.execute("DELETE FROM catalogs")
    engine.insert("catalogs", [{"key": str(number), "plane": "deployed", "name": text} for number, text in enumerate(texts)])
    found = engine.connection.execute("SELECT name FROM catalogs ORDER BY key").fetchall()
    assert [name for (name,) in found] == texts


def test_of_tables_that_no_rule_returns_only_what_is_looked_at_is_loaded() -> None:
    queries = [query.query for rule in load_rules().values() for query in rule.queries]
    looked = only_looked_at(queries)
    assert {"plane", "securable", "principal", "privilege", "to_owner"} <= looked["effective_grants"]
    assert "key" not in looked["effective_grants"]
    assert looked.keys().isdisjoint(query.subject for rule in load_rules().values() for query in rule.queries)
