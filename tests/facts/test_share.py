"""What may be handed on: no names of people wherever they stand, no runs, and everything else as it was."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from lakewarden.facts.collect import Facts, Scope
from lakewarden.facts.fact import TABLES
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.identity import Grant, Securable
from lakewarden.facts.model.tracking import Experiment, Run
from lakewarden.facts.model.workloads import Job
from lakewarden.facts.origin import Origin
from lakewarden.facts.share import about_runs, shared

if TYPE_CHECKING:
    from lakewarden.facts.fact import Fact

LIVE = "deployed"
PEOPLE = ("ann@example.com", "Bob.O'Neil+x@mail.example.org", "carl")


def facts_about(person: str) -> Facts:
    facts = Facts()
    at = Origin(url=f"https://w/api/users/{person.replace('@', '%40')}", time="2026-01-01T00:00:00Z")
    facts.add(
        Securable(key="m/prod", plane=LIVE, kind="catalog", owner=person, owner_kind="user", origin=at),
        Grant(key=f"m/prod/user:{person}/SELECT", plane=LIVE, securable="m/prod", principal=f"user:{person}"),
        Grant(key="m/prod/group:team/SELECT", plane=LIVE, securable="m/prod", principal="group:team", principal_kind="group"),
        Experiment(key="https://w/experiments/1", plane=LIVE, place="https://w", path=f"/Users/{person}/churn"),
        Run(key="https://w/runs/1", plane=LIVE, workspace="https://w"),
    )
    facts.complete |= {("grants", LIVE, Scope(None, "m/prod")), ("runs", LIVE, Scope(None, "m/prod.ml.c/1"))}
    facts.gap(Gap(Cause.REFUSED, "schemas", f"`{person}` may not", f"GRANT it TO user:{person}", LIVE, None, "m/prod", at))
    return facts


def texts(facts: Facts) -> str:
    rows = [row.__dict__ for of_table in facts.rows.values() for row in of_table]
    return repr((rows, facts.complete, facts.gaps, facts.unlisted))


def test_no_name_is_left_and_that_somebody_is_there_is() -> None:
    for person in PEOPLE[:2]:
        found = shared(facts_about(person))
        assert person.partition("@")[0].lower() not in texts(found).lower()
        assert not re.search(r"@|%40", texts(found))
        (owner,) = found.rows["securables"]
        assert (owner.__dict__["owner"], owner.__dict__["owner_kind"]) == ("person-1", "user")
        assert sorted(row.key for row in found.rows["grants"]) == ["m/prod/group:team/SELECT", "m/prod/user:person-1/SELECT"]
        assert [row.__dict__["path"] for row in found.rows["experiments"]] == ["/Users/person-1/churn"]


def test_a_name_that_is_no_mail_address_goes_where_it_is_known_to_be_one() -> None:
    found = shared(facts_about("carl"))
    (owner,) = found.rows["securables"]
    assert owner.__dict__["owner"] == "person-1"
    assert "user:carl" not in texts(found)
    assert "/Users/carl" not in texts(found)


def test_the_short_name_in_what_was_deployed_in_development_mode_goes() -> None:
    facts = Facts()
    facts.add(Job(key="https://w#1", plane=LIVE, name="[dev ann_smith] train"))
    facts.gap(Gap(Cause.REFUSED, "tasks", "403", "grant CAN_VIEW on [dev ann_smith] train", LIVE, None, "https://w#1"))
    found = shared(facts)
    assert [row.__dict__["name"] for row in found.rows["jobs"]] == ["[dev person] train"]
    assert "ann_smith" not in texts(found)


def test_runs_are_left_out_and_said_to_be() -> None:
    found = shared(facts_about("ann@example.com"))
    assert found.rows["runs"] == []
    assert found.unlisted["runs", LIVE].cause is Cause.NOT_ASKED
    assert {table for table, _, _ in found.complete} == {"grants"}
    assert {"runs", "run_inputs", "commit_evidence", "job_runs"} <= about_runs()
    assert about_runs().isdisjoint({"grants", "jobs", "models", "model_versions", "experiments"})


@given(st.lists(st.sampled_from(["ann@x.org", "bob@x.org", "ANN@x.org"]), min_size=1, max_size=4))
def test_each_person_has_one_number_and_no_two_share_it(people: list[str]) -> None:
    facts = Facts()
    for number, person in enumerate(people):
        facts.add(Grant(key=f"m/{number}", plane=LIVE, securable="m/prod", principal=f"user:{person}"))
    told = {(person.lower(), row.__dict__["principal"]) for person, row in zip(people, shared(facts).rows["grants"], strict=True)}
    assert len(told) == len({name for name, _ in told}) == len({number for _, number in told})


def test_every_text_of_every_table_is_looked_at() -> None:
    facts, mail = Facts(), "ann@example.com"
    kept = [table for name, table in TABLES.items() if name not in about_runs()]
    for table in kept:
        values = {
            c.name: mail for c in table.columns.values() if c.sql_type == "VARCHAR" and c.name not in ("origin", "gap", "plane")
        }
        row: Fact = table(**{name: value for name, value in values.items() if name not in ("environment", "stage")}, plane=LIVE)
        facts.add(row)
    assert mail not in texts(shared(facts))
