"""What follows for models: which versions are live, by keys of metastores, and what trained them."""

from __future__ import annotations

from typing import Any

import pytest

from lakewarden.facts.collect import Facts
from lakewarden.facts.fact import TABLES
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.live import CommitEvidence, Workspace
from lakewarden.facts.model.registry import Model, ModelAlias, ModelVersion, ServedEntity
from lakewarden.facts.model.tracking import Run
from lakewarden.facts.store import prepare
from lakewarden.policy.model import Policy

CLOSED = {"effective_grants", "champions", "run_commit", "required_tags", "principal_summary", "projects"}
NAME = "prod.ml.churn"


def rows(facts: Facts, table: str, *, without: str = "", policy: Policy | None = None) -> dict[str, dict[str, Any]]:
    """The rows of a table by key, where every list but one was read to its end."""
    with facts.listing(*(TABLES.keys() - CLOSED - {without}), plane="deployed"):
        pass
    planes = frozenset({"deployed"})
    ready = prepare(facts, policy or Policy(), filled=frozenset(TABLES), needed=frozenset({table}), planes=planes)
    return {row["key"]: row for row in ready.rows[table]}


def estate(*aliases: str, **entity: Any) -> Facts:
    """Two metastores with a model of one name each, two versions of it, and an endpoint in the workspace of the first."""
    facts = Facts()
    for number in ("1", "2"):
        place, key = f"https://w{number}", f"m{number}/{NAME}"
        facts.add(Workspace(key=place, plane="deployed", metastore=f"m{number}"))
        facts.add(Model(key=key, plane="deployed", name=NAME, catalog="prod", registry="unity_catalog"))
        for version in (1, 2):
            facts.add(ModelVersion(key=f"{key}/{version}", plane="deployed", model=key, catalog="prod", run=f"{place}/r"))
    facts.add(Run(key="https://w1/r", plane="deployed", workspace="https://w1", job_run="https://w1/501"))
    if entity:
        said: dict[str, Any] = {"place": "https://w1", "entity_name": NAME, "entity_version": 1, "external": False} | entity
        facts.add(ServedEntity(key="https://w1/e/0", plane="deployed", **said))
    for alias in aliases:
        name, _, to = alias.partition("=")
        key = f"m1/{NAME}"
        facts.add(ModelAlias(key=f"{key}@{name}", plane="deployed", model=key, alias=name, version_key=f"{key}/{to}"))
    return facts


def live(facts: Facts, **more: Any) -> dict[str, bool | None]:
    return {key.replace(NAME, "n"): row["live"] for key, row in rows(facts, "model_versions", **more).items()}


def test_an_endpoint_serves_a_model_of_its_own_metastore() -> None:
    found = estate(entity_version=1)
    assert live(found) == {"m1/n/1": True, "m1/n/2": False, "m2/n/1": False, "m2/n/2": False}
    assert {key: row.get("consumed") for key, row in rows(found, "models").items()} == {f"m1/{NAME}": True, f"m2/{NAME}": None}
    assert rows(found, "served_entities")["https://w1/e/0"]["champion"] == f"m1/{NAME}"


@pytest.mark.parametrize(
    "entity", [{"entity_version": None}, {"entity_name": None}, {"external": None}, {"place": "https://unread"}, {"place": None}]
)
def test_what_an_endpoint_serves_without_saying_so_may_be_any_version(entity: dict[str, Any]) -> None:
    assert set(live(estate("champion=2", **entity)).values()) == {True, None}


def test_what_is_no_registered_model_makes_nothing_live() -> None:
    found = estate(entity_version=None, external=True)
    assert set(live(found).values()) == {False}
    assert rows(found, "served_entities")["https://w1/e/0"]["champion"] == "none"


def test_only_aliases_of_the_policy_make_a_version_live() -> None:
    found = estate("champion=2", "blue=1")
    assert [key for key, is_live in live(found).items() if is_live] == ["m1/n/2"]
    assert [key for key, is_live in live(found, policy=Policy(champion_aliases=("Blue",))).items() if is_live] == ["m1/n/1"]


@pytest.mark.parametrize("without", ["model_aliases", "served_entities"])
def test_what_was_not_listed_may_name_any_version(without: str) -> None:
    assert set(live(estate(), without=without).values()) == {None}


def test_a_gap_of_one_model_leaves_its_versions_open_and_no_others() -> None:
    facts = estate()
    facts.gap(Gap(Cause.REFUSED, "model_aliases", "403", plane="deployed", parent=f"m1/{NAME}"))
    assert live(facts) == {"m1/n/1": None, "m1/n/2": None, "m2/n/1": False, "m2/n/2": False}


def test_the_source_may_know_better_what_is_live() -> None:
    facts = estate()
    facts.add(
        ModelVersion(key="https://w1/old/1", plane="deployed", model="https://w1/old", catalog="none", live=True, run="none")
    )
    assert live(facts)["https://w1/old/1"] is True


def test_a_version_was_trained_by_the_job_run_of_its_run() -> None:
    facts = estate()
    facts.add(ModelVersion(key=f"m1/{NAME}/3", plane="deployed", model=f"m1/{NAME}", catalog="prod", run="none"))
    found = {key: row.get("job_run") for key, row in rows(facts, "model_versions").items()}
    assert found == {
        f"m1/{NAME}/1": "https://w1/501",
        f"m1/{NAME}/2": "https://w1/501",
        f"m1/{NAME}/3": "none",
        f"m2/{NAME}/1": None,
        f"m2/{NAME}/2": None,
    }


def test_nothing_went_live_before_a_policy_that_nobody_adopted() -> None:
    assert {row["before_policy"] for row in rows(estate("champion=1"), "model_versions").values()} == {False}


def test_the_first_champion_alias_of_the_policy_that_a_model_has_names_its_champion() -> None:
    facts = estate("live=1", "Champion=2")
    assert rows(facts, "champions")[f"m1/{NAME}"]["version"] == 2
    assert rows(facts, "champions", policy=Policy(champion_aliases=("live",)))[f"m1/{NAME}"]["version"] == 1
    assert f"m2/{NAME}" not in rows(facts, "champions")


def test_a_model_whose_aliases_were_not_read_has_a_champion_that_nobody_knows() -> None:
    facts = estate()
    facts.gap(Gap(Cause.REFUSED, "model_aliases", "403", plane="deployed", parent=f"m1/{NAME}"))
    found = rows(facts, "champions")[f"m1/{NAME}"]
    assert found["gap"] is not None
    assert found.get("version") is None


def held(commit: str | None, *, dirty: bool | None = None, lost: bool = False) -> list[str]:
    """What is told of a run with this evidence: the reasons why its commit, or that it is all that ran, is not known."""
    facts = Facts()
    facts.add(Run(key="w/a", plane="deployed"))
    rungs = ("git-snapshot", "deployment-record", "deployment-metadata", "launch-parameters", "run-tags")
    for rung in rungs:
        value = commit if rung == "run-tags" else "none"
        said = dirty if rung == "run-tags" else None
        facts.add(CommitEvidence(key=f"w/a/{rung}", plane="deployed", run="w/a", rung=rung, commit=value, dirty=said))
    if lost:
        facts.gap(Gap(Cause.EXPIRED, "commit_evidence", "job run 501 was removed", plane="deployed", parent="w/a"))
    with facts.listing(*(TABLES.keys() - CLOSED), plane="deployed"):
        pass
    planes = frozenset({"deployed"})
    ready = prepare(facts, Policy(), filled=frozenset(TABLES), needed=frozenset({"run_commit"}), planes=planes)
    return [gap.reason for gap in ready.gaps if gap.facts == "run_commit" and gap.parent == "w/a"]


def test_why_a_commit_is_not_known_is_told() -> None:
    assert held("c1", dirty=False) == held("none") == []
    assert held("c1") == ["nobody recorded whether the working tree was changed when the code of run w/a was deployed"]
    assert held(None) == ["evidence for run w/a names no whole commit"]
    assert held("c1", dirty=False, lost=True) == ["job run 501 was removed"]


@pytest.mark.parametrize(
    ("said", "dirty"),
    [
        ({"deployment-metadata": ("c1", None), "launch-parameters": ("c1", False)}, False),
        ({"deployment-metadata": ("c1", None), "launch-parameters": ("c2", False)}, None),
        ({"deployment-metadata": ("c1", None), "run-tags": ("c1", False)}, None),
        ({"deployment-metadata": ("c1", None), "run-tags": ("c1", True)}, True),
        ({"git-snapshot": ("c1", False), "launch-parameters": ("c1", None)}, False),
        ({"run-tags": ("c1", False)}, False),
    ],
)
def test_who_says_that_the_working_tree_was_clean_has_to_be_as_good_as_who_names_the_commit(
    said: dict[str, tuple[str, bool | None]], dirty: bool | None
) -> None:
    facts = Facts()
    facts.add(Run(key="w/a", plane="deployed"))
    for rung, (commit, is_dirty) in said.items():
        key = f"w/a/{rung}"
        facts.add(CommitEvidence(key=key, plane="deployed", run="w/a", rung=rung, commit=commit, dirty=is_dirty))
    assert rows(facts, "run_commit")["w/a"]["dirty"] is dirty
