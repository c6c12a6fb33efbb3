"""What is taken over from a reading that was broken off: whole lists that cost a request each, and nothing else."""

from __future__ import annotations

from lakewarden.facts.collect import Facts, Scope
from lakewarden.facts.gaps import INCOMPLETE, Cause, Gap
from lakewarden.facts.model.data import Catalog
from lakewarden.facts.model.identity import Grant, Securable
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
