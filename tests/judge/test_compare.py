"""What became of a violation: fixed only where it was seen to pass, gone only where the whole list was seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakewarden.judge.compare import Comparison, Coverage, Side, Subject, Told, compare, root_of

if TYPE_CHECKING:
    from collections.abc import Iterable

TOLD = Told("error", "high", True, "wrong", "f")
AT = ("catalog_tables", "deployed")
CODE = "DAT001"


def subject(key: str, code: str = CODE) -> Subject:
    return Subject(code, "deployed", "catalog_tables", key)


def side(
    *,
    fails: Iterable[str] = (),
    passes: Iterable[str] = (),
    unknown: Iterable[str] = (),
    unseen: Iterable[str] = (),
    rule: Coverage | None = None,
    roots: Iterable[str] = ("m",),
    named: bool = True,
    **more: frozenset[Subject],
) -> Side:
    fails, passes, unknown = list(fails), list(passes), list(unknown)
    objects = {AT: frozenset([*fails, *passes, *unknown])} if named else None
    judged = rule or Coverage(len(fails) + len(passes) + len(unknown), len(unknown))
    return Side(
        "2026-03-01",
        {subject(key): TOLD for key in fails},
        more.get("waived", frozenset()),
        more.get("hidden", frozenset()),
        frozenset(map(subject, unknown)),
        objects,
        {AT: frozenset(unseen)},
        {CODE: judged},
        frozenset(roots),
        frozenset({"deployed"}),
    )


def fate(compared: Comparison, key: str = "m/a.b.c") -> set[str]:
    return {
        name
        for name in Comparison._fields
        if name != "fewer" and any(changed.subject.key == key for changed in getattr(compared, name))
    }


WAS = side(fails=["m/a.b.c"])


@pytest.mark.parametrize(
    ("after", "became"),
    [
        (side(fails=["m/a.b.c"]), "standing"),
        (side(passes=["m/a.b.c"]), "fixed"),
        (side(passes=["m/a.b.d"]), "gone"),
        (side(unknown=["m/a.b.c"]), "lost"),
        (side(unseen=["m/a.b.c"]), "lost"),
        (side(unseen=["m/a.b/?catalog_tables"]), "lost"),
        (side(unseen=["m/a/?schemas/?catalog_tables"]), "lost"),
        (side(unseen=["m/?catalogs/?schemas/?catalog_tables"]), "lost"),
        (side(unseen=["m/a.bc/?catalog_tables"]), "gone"),
        (side(unseen=["m/x/?schemas/?catalog_tables"]), "gone"),
        (side(roots=["n"]), "lost"),
        (side(named=False), "fixed"),
        (side(named=False, unseen=["m/a.b/?catalog_tables"]), "lost"),
        (side(rule=Coverage(0, 0, "its query on catalog_tables is broken")), "lost"),
        (side(rule=Coverage(0, 0, "needs tables, which this command does not read")), "lost"),
        (side(rule=Coverage(0, 0, "ignored")), "tolerated"),
        (side(rule=Coverage(0, 0, "switched off in lakewarden.toml")), "tolerated"),
        (side(waived=frozenset({subject("m/a.b.c")})), "tolerated"),
        (side(hidden=frozenset({subject("m/a.b.c")})), "standing"),
    ],
)
def test_what_became_of_a_violation(after: Side, became: str) -> None:
    assert fate(compare(WAS, after)) == {became}


def test_a_plane_that_was_not_read_is_not_gone() -> None:
    declared = Subject(CODE, "declared", "catalog_tables", "churn/a.b.c")
    before = WAS._replace(fails={declared: TOLD})
    assert fate(compare(before, side()), "churn/a.b.c") == {"lost"}


def test_what_was_waived_and_fails_now_is_worse_and_what_was_hidden_is_not_new() -> None:
    now = side(fails=["m/a.b.c"])
    assert fate(compare(side(waived=frozenset({subject("m/a.b.c")})), now)) == {"worsened"}
    assert fate(compare(side(hidden=frozenset({subject("m/a.b.c")})), now)) == {"standing"}


@dataclass(frozen=True)
class _World:
    fails: frozenset[str]
    passes: frozenset[str]


KEYS = [f"m/{catalog}.{schema}.{table}" for catalog in "ab" for schema in "st" for table in "xy"]


@st.composite
def worlds(draw: st.DrawFn) -> _World:
    there = draw(st.frozensets(st.sampled_from(KEYS)))
    fails = draw(st.frozensets(st.sampled_from(sorted(there)))) if there else frozenset[str]()
    return _World(fails, there - fails)


@given(worlds(), worlds(), st.frozensets(st.sampled_from(KEYS)), st.frozensets(st.sampled_from(["m/a.s", "m/a.t", "m/b.s"])))
def test_hiding_what_was_seen_moves_violations_to_lost_sight_only(
    old: _World, new: _World, blind: frozenset[str], closed: frozenset[str]
) -> None:
    def hidden(key: str) -> bool:
        return key.rpartition(".")[0] in closed

    before = side(fails=old.fails, passes=old.passes)
    whole = compare(before, side(fails=new.fails, passes=new.passes))
    after = side(
        fails={key for key in new.fails - blind if not hidden(key)},
        passes={key for key in new.passes - blind if not hidden(key)},
        unknown={key for key in blind & (new.fails | new.passes) if not hidden(key)},
        unseen={f"{key}/?catalog_tables" for key in closed},
    )
    partly = compare(before, after)
    for key in old.fails:
        assert fate(partly, key) in (fate(whole, key), {"lost"})
    assert {changed.subject for changed in partly.new} <= {changed.subject for changed in whole.new}


@given(worlds())
def test_an_audit_compared_with_itself_has_only_what_stands(world: _World) -> None:
    one = side(fails=world.fails, passes=world.passes)
    compared = compare(one, one)
    assert {changed.subject.key for changed in compared.standing} == world.fails
    assert not any(getattr(compared, name) for name in Comparison._fields if name != "standing")


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        (Coverage(100, 0), Coverage(98, 0), False),
        (Coverage(100, 0), Coverage(97, 0), True),
        (Coverage(100, 0), Coverage(100, 3), True),
        (Coverage(100, 50), Coverage(50, 0), False),
        (Coverage(100, 0), Coverage(0, 0, "ignored"), False),
        (Coverage(100, 0), Coverage(0, 0, "it crashed"), True),
        (Coverage(0, 0), Coverage(0, 0), False),
    ],
)
def test_two_percent_fewer_decided_objects_are_told(was: Coverage, now: Coverage, told: bool) -> None:
    assert bool(compare(side(rule=was), side(rule=now)).fewer) is told


@pytest.mark.parametrize(
    ("key", "root"),
    [("m/prod.ml.t", "m"), ("https://w.example.com/jobs/1", "https://w.example.com"), ("https://w", "https://w"), ("m", "m")],
)
def test_the_root_of_a_key(key: str, root: str) -> None:
    assert root_of(key) == root
