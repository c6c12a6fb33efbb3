"""What follows from a live estate: grants through parents, members of groups, live versions, commits, storage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lakewarden.facts.collect import Facts
from lakewarden.facts.fact import TABLES
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.data import Catalog, CatalogTable, ExternalLocation, Schema
from lakewarden.facts.model.identity import Grant, Securable
from lakewarden.facts.model.live import CommitEvidence, GroupMember, Principal, Workspace
from lakewarden.facts.model.registry import Model, ModelAlias, ModelVersion, ServedEntity
from lakewarden.facts.model.tracking import Run
from lakewarden.facts.store import prepare
from lakewarden.policy.model import EnvironmentPolicy, Policy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lakewarden.facts.placeholders import Row

POLICY = Policy(environments={"production": EnvironmentPolicy(catalogs=("prod",))}, required_tags=("owner",))
WHOLE = TABLES.keys() - {"effective_grants", "champions", "run_commit", "required_tags", "principal_summary", "projects"}


def rows(facts: Facts, table: str, *, without: str = "") -> Sequence[Row]:
    """The rows of a table, where every list but one was read to its end."""
    with facts.listing(*(WHOLE - {without}), plane="deployed"):
        pass
    ready = prepare(facts, POLICY, filled=frozenset(TABLES), needed=frozenset({table}), planes=frozenset({"deployed"}))
    return ready.rows[table]


def granted(**values: Any) -> Facts:
    facts = Facts()
    facts.add(Catalog(key="m/prod", plane="deployed", name="prod"), Schema(key="m/prod.s", plane="deployed", catalog="prod"))
    facts.add(CatalogTable(key="m/prod.s.t", plane="deployed", catalog="prod"))
    of = values.pop("of", "m/prod")
    facts.add(
        Grant(key=f"{of}/x", plane="deployed", securable=of, catalog="prod", principal="group:g", privilege="MODIFY", **values)
    )
    return facts


@pytest.mark.parametrize(("of", "reached"), [("m/prod", True), ("m/prod.s", True), ("m/prod.s.t", True), ("m/dev", False)])
def test_a_grant_reaches_what_is_below_it(of: str, reached: bool) -> None:
    found = [row for row in rows(granted(of=of), "effective_grants") if row["securable"] == "m/prod.s.t"]
    assert [row["principal"] for row in found] == (["group:g"] if reached else [])


def test_a_list_of_grants_that_was_not_read_leaves_what_is_below_unknown() -> None:
    facts = granted(of="m/prod.s.t")
    for key in ("m/prod", "m/prod.s.t"):
        with facts.listing("grants", plane="deployed", of=key):
            pass
    facts.gap(Gap(Cause.REFUSED, "grants", "403", plane="deployed", parent="m/prod.s"))
    found = rows(facts, "effective_grants", without="grants")
    assert {row["securable"] for row in found if row["gap"] is not None} == {"m/prod.s", "m/prod.s.t"}


def test_the_owner_of_a_table_is_told_apart() -> None:
    facts = granted(of="m/prod.s.t")
    facts.add(Securable(key="m/prod.s.t", plane="deployed", kind="table", catalog="prod", owner="g", owner_kind="group"))
    assert [row["to_owner"] for row in rows(facts, "effective_grants") if row["securable"] == "m/prod.s.t"] == [True]


def members(*, known: bool = True, **of: tuple[str, ...]) -> Facts:
    facts = granted()
    for group, inside in of.items():
        key = f"w/group:{group}"
        facts.add(Principal(key=key, plane="deployed", principal=f"group:{group}", members_known=known))
        facts.add(*(GroupMember(key=f"{key}/{m}", plane="deployed", group_key=key, member=m) for m in inside))
    return facts


@pytest.mark.parametrize(
    ("facts", "has_person"),
    [
        (members(g=("service_principal:a",)), False),
        (members(g=("group:h",), h=("group:i",), i=("user:ann",)), True),
        (members(g=("group:h",), h=("group:g",)), False),  # groups in a circle
        (members(g=("group:elsewhere",)), None),
        (members(known=False, g=("service_principal:a",)), None),
        (members(known=False, g=("user:ann",)), True),
        (members(), None),
    ],
)
def test_is_there_a_person_in_the_group(facts: Facts, has_person: bool | None) -> None:
    found = {row["key"]: row["has_person"] for row in rows(facts, "principal_summary")}
    assert found["group:g"] is has_person


def version(**values: Any) -> Facts:
    facts = Facts()
    facts.add(Model(key="m/prod.ml.churn", plane="deployed", name="prod.ml.churn", catalog="prod", registry="unity_catalog"))
    facts.add(ModelVersion(key="m/prod.ml.churn/7", plane="deployed", model="m/prod.ml.churn", catalog="prod", **values))
    return facts


def alias(name: str, to: str = "m/prod.ml.churn/7") -> ModelAlias:
    return ModelAlias(key=f"m/prod.ml.churn@{name}", plane="deployed", model="m/prod.ml.churn", alias=name, version_key=to)


def test_a_version_is_live_by_an_alias_of_the_policy() -> None:
    facts = version()
    facts.add(alias("Champion"))
    assert [row["live"] for row in rows(facts, "model_versions")] == [True]


def test_a_version_is_live_by_an_endpoint() -> None:
    facts = version()
    facts.add(alias("challenger"))
    facts.add(Workspace(key="w", plane="deployed", metastore="m"))
    name = "prod.ml.churn"
    facts.add(ServedEntity(key="w/e/0", plane="deployed", place="w", entity_name=name, entity_version=7, external=False))
    assert [row["live"] for row in rows(facts, "model_versions")] == [True]


@pytest.mark.parametrize(("without", "live"), [("", False), ("model_aliases", None), ("served_entities", None)])
def test_a_version_is_live_or_not_only_where_all_was_seen(without: str, live: bool | None) -> None:
    assert [row["live"] for row in rows(version(), "model_versions", without=without)] == [live]


def test_the_champion_of_a_model_is_the_version_of_its_alias() -> None:
    facts = version()
    facts.add(alias("champion"))
    (row,) = rows(facts, "champions")
    assert (row["key"], row["version"], row["version_key"]) == ("m/prod.ml.churn", 7, "m/prod.ml.churn/7")


def test_a_tag_that_the_policy_requires_is_there_or_not_or_nobody_knows() -> None:
    assert [row["present"] for row in rows(version(), "required_tags")] == [False]
    assert [row["present"] for row in rows(version(), "required_tags", without="model_version_tags")] == [None]


def evidence(**rungs: str | None) -> Facts:
    facts = Facts()
    facts.add(Run(key="w/a", plane="deployed"))
    every = ("git-snapshot", "deployment-record", "deployment-metadata", "launch-parameters", "run-tags")
    for rung in every:
        commit = rungs.get(rung.replace("-", "_"), "none")
        facts.add(CommitEvidence(key=f"w/a/{rung}", plane="deployed", run="w/a", rung=rung, commit=commit, dirty=False))
    return facts


@pytest.mark.parametrize(
    ("facts", "held"),
    [
        (evidence(), ("none", None, None)),
        (evidence(run_tags="c1"), ("c1", "run-tags", True)),
        (evidence(run_tags="c1", git_snapshot="c1"), ("c1", "git-snapshot", True)),
        (evidence(run_tags="c1", git_snapshot="c2"), ("c2", "git-snapshot", False)),
        (evidence(run_tags="c1", git_snapshot=None), (None, "git-snapshot", None)),
        (evidence(run_tags="c1", deployment_record=None, git_snapshot="c2"), ("c2", "git-snapshot", False)),
    ],
)
def test_a_run_is_held_to_its_strongest_evidence_and_all_of_it_must_agree(facts: Facts, held: tuple[object, ...]) -> None:
    (row,) = rows(facts, "run_commit")
    assert (row["commit"], row.get("rung"), row.get("agreed")) == held


def test_a_rung_that_nobody_looked_at_leaves_the_commit_in_doubt() -> None:
    facts = Facts()
    facts.add(Run(key="w/a", plane="deployed"))
    facts.add(CommitEvidence(key="w/a/run-tags", plane="deployed", run="w/a", rung="run-tags", commit="c1", dirty=False))
    (row,) = rows(facts, "run_commit")
    assert (row["commit"], row["agreed"]) == ("c1", None)
    facts.rows["commit_evidence"].clear()
    assert [row.get("commit") for row in rows(facts, "run_commit") if row["gap"] is None] == []


@pytest.mark.parametrize(
    ("root", "url", "serves"),
    [
        ("s3://lake/prod/x", "s3://lake/prod", True),
        ("s3://lake/prod", "s3://lake/prod/", True),
        ("s3://lake/production", "s3://lake/prod", False),
        (None, "s3://lake/prod", None),
        ("s3://lake/prod", None, None),
    ],
)
def test_a_location_serves_production_where_a_production_catalog_is_stored(
    root: str | None, url: str | None, serves: bool | None
) -> None:
    facts = Facts()
    facts.add(Catalog(key="m/prod", plane="deployed", name="prod", storage_root=root))
    facts.add(ExternalLocation(key="m/location:l", plane="deployed", url=url))
    assert [row["serves_production"] for row in rows(facts, "external_locations")] == [serves]
