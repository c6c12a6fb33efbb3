"""Several snapshots as one estate: what they contradict each other about is not known, what is too old does not count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from lakewarden.facts.collect import Facts, Scope
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.joining import Part, join
from lakewarden.facts.model.data import Binding, Catalog, Schema
from lakewarden.facts.model.identity import Grant

if TYPE_CHECKING:
    from lakewarden.facts.fact import Fact

LIVE = "deployed"


def estate(mode: str | None, *schemas: str, whole: bool = True) -> Facts:
    facts = Facts()
    facts.add(Catalog(key="m/prod", plane=LIVE, name="prod", isolation_mode=mode))
    facts.add(*(Schema(key=f"m/prod.{name}", plane=LIVE, catalog="prod") for name in schemas))
    if whole:
        facts.complete |= {("catalogs", LIVE, Scope(None, "m")), ("schemas", LIVE, Scope(None, "m/prod"))}
    return facts


def only(facts: Facts, table: str) -> Fact:
    (row,) = facts.rows[table]
    return row


def conflicts(facts: Facts) -> dict[str, bool | None]:
    return {row.key: row.__dict__.get("agree") for row in facts.rows["snapshot_conflicts"]}


def test_what_two_tell_differently_is_not_known_and_told() -> None:
    joined = join([Part("a", estate("OPEN")), Part("b", estate("ISOLATED"))])
    assert only(joined, "catalogs").__dict__["isolation_mode"] is None
    (row,) = joined.rows["snapshot_conflicts"]
    assert (row.key, row.__dict__["agree"]) == ("catalogs:deployed:m/prod#isolation_mode", False)
    assert row.__dict__["what"] == "isolation mode of m/prod"
    assert row.__dict__["said"] == "OPEN in a and ISOLATED in b"
    (gap,) = joined.gaps
    assert (gap.value, gap.parent, gap.cause) == (True, "m/prod", Cause.UNRESOLVED)


def test_three_of_which_the_first_two_disagree_stay_unknown() -> None:
    joined = join([Part("a", estate("OPEN")), Part("b", estate("ISOLATED")), Part("c", estate("ISOLATED"))])
    assert conflicts(joined)["catalogs:deployed:m/prod#isolation_mode"] is False
    assert only(joined, "catalogs").__dict__["isolation_mode"] is None


def test_what_one_does_not_know_the_other_may() -> None:
    joined = join([Part("a", estate(None)), Part("b", estate("OPEN"))])
    assert only(joined, "catalogs").__dict__["isolation_mode"] == "OPEN"
    assert conflicts(joined) == {"b": True}


def test_an_object_that_a_whole_list_lacks_is_told_once_for_each_list() -> None:
    joined = join([Part("a", estate("OPEN", "x", "y", "z", "w", "v")), Part("b", estate("OPEN", "x"))])
    (row,) = joined.rows["snapshot_conflicts"]
    assert row.key == "schemas:deployed:m/prod#a"
    assert row.__dict__["said"] == "only a has m/prod.v, m/prod.w, m/prod.y and 1 more, and all have read the list to its end"
    assert len(joined.rows["schemas"]) == 5


def test_a_list_that_one_has_not_read_contradicts_nothing() -> None:
    joined = join([Part("a", estate("OPEN", "x")), Part("b", estate("OPEN", whole=False))])
    assert conflicts(joined) == {"b": True}


def test_grants_are_compared_by_what_they_are_on() -> None:
    one, other = estate("OPEN"), estate("OPEN")
    for facts in (one, other):
        facts.complete.add(("grants", LIVE, Scope(None, "m/prod")))
    one.add(Grant(key="m/prod/group:a/SELECT", plane=LIVE, securable="m/prod"))
    assert list(conflicts(join([Part("a", one), Part("b", other)]))) == ["grants:deployed:m/prod#a"]


def test_of_an_old_one_only_the_keys_are_left() -> None:
    old = estate("ISOLATED", "x")
    old.add(Binding(key="m/prod/1", plane=LIVE, securable="m/prod", workspace="https://w", binding_type="READ"))
    joined = join([Part("old", old, "too old")])
    catalog, binding = only(joined, "catalogs"), only(joined, "bindings")
    assert (catalog.key, catalog.__dict__["name"], catalog.__dict__["isolation_mode"]) == ("m/prod", "prod", None)
    assert (binding.__dict__["securable"], binding.__dict__["binding_type"]) == ("m/prod", None)
    assert joined.complete == set()
    assert {(gap.cause, gap.facts, gap.parent) for gap in joined.gaps} == {
        (Cause.EXPIRED, "catalogs", "m"),
        (Cause.EXPIRED, "schemas", "m/prod"),
    }


def test_a_fresh_one_goes_before_an_old_one_in_any_order() -> None:
    fresh, old = Part("fresh", estate("OPEN", "x")), Part("old", estate("ISOLATED", "x", "gone"), "too old")
    for parts in ([fresh, old], [old, fresh]):
        joined = join(parts)
        assert only(joined, "catalogs").__dict__["isolation_mode"] == "OPEN"
        assert [row.key for row in joined.rows["schemas"]] == ["m/prod.x"]
        assert joined.gaps == []
        assert conflicts(joined) == {"old": None}


def test_what_was_broken_off_is_not_hidden_by_what_was_not_asked() -> None:
    one, other = estate("OPEN"), estate("OPEN")
    one.otherwise(Gap(Cause.NOT_ASKED, "bindings", "on purpose", plane=LIVE))
    other.otherwise(Gap(Cause.TRUNCATED, "bindings", "interrupted", plane=LIVE))
    for parts in ([Part("a", one), Part("b", other)], [Part("b", other), Part("a", one)]):
        assert join(parts).unlisted["bindings", LIVE].cause is Cause.TRUNCATED


@given(st.sampled_from(["OPEN", "ISOLATED", None]), st.sampled_from(["OPEN", "ISOLATED", None]))
def test_the_order_of_snapshots_changes_no_fact(first: str | None, second: str | None) -> None:
    def told(*modes: str | None) -> object:
        joined = join([Part(str(mode), estate(mode)) for mode in modes])
        return only(joined, "catalogs").__dict__["isolation_mode"], False in conflicts(joined).values()

    assert told(first, second) == told(second, first)
