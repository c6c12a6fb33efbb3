"""What is taken over from a reading that was broken off: whole lists that cost a request each, and nothing else."""

from __future__ import annotations

from lakewarden.facts.collect import Facts, Scope
from lakewarden.facts.gaps import INCOMPLETE, Cause, Gap
from lakewarden.facts.model.data import Binding, Catalog, CatalogTable, Schema
from lakewarden.facts.model.identity import Grant, Securable
from lakewarden.facts.model.live import Workspace
from lakewarden.sources.platform.resume import break_off, parents_of, prune, what_is_whole

LIVE = "deployed"


def broken_off() -> Facts:
    facts = Facts()
    for name in ("read", "half"):
        facts.add(Securable(key=f"m/{name}", plane=LIVE, kind="catalog"))
        facts.add(Grant(key=f"m/{name}/group:a/SELECT", plane=LIVE, securable=f"m/{name}"))
    facts.add(Catalog(key="m/read", plane=LIVE, name="read"))
    facts.complete |= {("grants", LIVE, Scope(None, "m/read")), ("catalogs", LIVE, Scope(None, "m"))}
    facts.gap(Gap(Cause.REFUSED, "grants", "no", plane=LIVE, parent="m/half"))
    facts.otherwise(Gap(Cause.NOT_ASKED, "grants", "on purpose", plane=LIVE))
    return facts


def test_only_whole_lists_of_single_objects_are_taken_over() -> None:
    kept = what_is_whole(broken_off())
    assert kept.complete == {("grants", LIVE, Scope(None, "m/read"))}
    assert [row.key for row in kept.rows["grants"]] == ["m/read/group:a/SELECT"]
    assert (kept.rows["catalogs"], kept.rows["securables"], kept.gaps, kept.unlisted) == ([], [], [], {})
    assert parents_of(kept) == {"grants": {"m/read"}}


def test_lists_of_objects_that_are_no_longer_there_go_with_their_marks() -> None:
    kept = what_is_whole(broken_off())
    kept.add(Securable(key="m/new", plane=LIVE, kind="catalog"))
    prune(kept)
    assert kept.rows["grants"] == []
    assert kept.complete == set()


def test_what_was_interrupted_is_incomplete_whatever_was_said_before() -> None:
    facts = broken_off()
    break_off(facts, ["grants"], "interrupted")
    assert facts.unlisted["grants", LIVE].cause in INCOMPLETE
    assert facts.unlisted["grants", LIVE].reason == "interrupted"


def listed(*, number: str | None = "1") -> Facts:
    """A catalog with one schema of one table, all of it read to its end."""
    facts = Facts()
    facts.add(Workspace(key="https://w", plane=LIVE, metastore="m", number=number), Catalog(key="m/c", plane=LIVE, name="c"))
    facts.add(Schema(key="m/c.s", plane=LIVE, catalog="c"), Securable(key="m/c.s", plane=LIVE, kind="schema"))
    facts.add(CatalogTable(key="m/c.s.t", plane=LIVE, catalog="c"), Securable(key="m/c.s.t", plane=LIVE, kind="table"))
    facts.complete |= {("schemas", LIVE, Scope(None, "m/c")), ("catalog_tables", LIVE, Scope(None, "m/c.s"))}
    return facts


def keys(facts: Facts) -> set[str]:
    return {row.key for rows in facts.rows.values() for row in rows}


def test_schemas_and_tables_are_taken_over_with_their_owners() -> None:
    kept = what_is_whole(listed())
    assert keys(kept) == {"m/c.s", "m/c.s.t"}
    assert [row.kind for row in kept.rows["securables"] if isinstance(row, Securable)] == ["schema", "table"]
    assert kept.complete == listed().complete


def test_a_list_with_a_gap_is_asked_again_though_somebody_read_it() -> None:
    facts = listed()
    facts.gap(Gap(Cause.REFUSED, "catalog_tables", "no", plane=LIVE, parent="m/c.s"))
    assert keys(what_is_whole(facts)) == {"m/c.s"}


def test_servers_of_open_source_unity_catalog_are_read_again() -> None:
    assert keys(what_is_whole(listed(number=None))) == set()


def test_a_list_whose_rows_are_not_told_from_others_by_their_keys_is_asked_again() -> None:
    facts = listed()
    facts.complete |= {("catalog_tables", LIVE, Scope(None, "m/c.s.odd")), ("schemas", LIVE, Scope(None, "m/c.odd"))}
    assert what_is_whole(facts).complete == listed().complete


def test_bindings_to_a_workspace_that_was_not_read_are_asked_again() -> None:
    facts = listed()
    facts.add(Binding(key="m/c/1", plane=LIVE, securable="m/c", workspace="https://w"))
    facts.complete.add(("bindings", LIVE, Scope(None, "m/c")))
    assert [row.key for row in what_is_whole(facts).rows["bindings"]] == ["m/c/1"]
    facts.add(Binding(key="m/c/2", plane=LIVE, securable="m/c"))
    assert what_is_whole(facts).rows["bindings"] == []
    assert ("bindings", LIVE, Scope(None, "m/c")) not in what_is_whole(facts).complete


def test_what_was_in_a_catalog_that_is_no_longer_there_goes_with_it() -> None:
    kept = what_is_whole(listed())
    kept.add(Catalog(key="m/c", plane=LIVE, name="c"))
    prune(kept)
    assert keys(kept) == {"m/c", "m/c.s", "m/c.s.t"}
    kept.rows["catalogs"] = []
    prune(kept)
    assert (keys(kept), kept.complete) == (set(), set())
