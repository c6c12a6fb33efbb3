"""On live planes objects are listed for each workspace, metastore, catalog and schema; what was not listed is unknown there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts.collect import Facts
from lakewarden.facts.fact import TABLES
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.data import Catalog, CatalogTable, Schema
from lakewarden.facts.model.live import Metastore, Workspace
from lakewarden.facts.model.registry import Model, ModelVersion
from lakewarden.facts.model.tracking import Run
from lakewarden.facts.model.workloads import Job
from lakewarden.facts.store import prepare
from lakewarden.policy.model import EnvironmentPolicy, Policy

if TYPE_CHECKING:
    from lakewarden.facts.placeholders import Row

LIVE = frozenset({"deployed"})
POLICY = Policy(
    environments={
        "production": EnvironmentPolicy(catalogs=("prod",), workspaces=("https://prod.example.com",)),
        "development": EnvironmentPolicy(catalogs=("dev",), workspaces=("https://dev.example.com",)),
    }
)
PROD, DEV = "https://prod.example.com", "https://dev.example.com"


def estate(*lists: tuple[str, str | None]) -> Facts:
    """A metastore with a catalog and a schema of each stage; `lists` are those that were read to their end."""
    facts = Facts()
    for url in (PROD, DEV):
        facts.add(Workspace(key=url, plane="deployed", metastore="m"))
    facts.add(Metastore(key="m", plane="deployed"))
    for name in ("prod", "dev"):
        facts.add(Catalog(key=f"m/{name}", plane="deployed", name=name))
        facts.add(Schema(key=f"m/{name}.s", plane="deployed", catalog=name))
    for table, of in (("workspaces", None), ("metastores", PROD), ("metastores", DEV), ("catalogs", "m"), *lists):
        with facts.listing(table, plane="deployed", of=of):
            pass
    return facts


def unseen(facts: Facts, table: str) -> list[Row]:
    rows = prepare(facts, POLICY, filled=frozenset(TABLES), needed=frozenset({table}), planes=LIVE, command="audit").rows[table]
    return [row for row in rows if row["gap"] is not None]


def test_a_schema_that_was_not_read_has_a_table_of_its_stage_that_nobody_saw() -> None:
    facts = estate(("schemas", "m/prod"), ("schemas", "m/dev"), ("catalog_tables", "m/dev.s"))
    (row,) = unseen(facts, "catalog_tables")
    assert (row["key"], row["catalog"], row["stage"]) == ("m/prod.s/?catalog_tables", "prod", "production")


def test_what_was_not_seen_has_lists_that_were_not_seen() -> None:
    facts = estate(("schemas", "m/dev"), ("catalog_tables", "m/prod.s"), ("catalog_tables", "m/dev.s"))
    assert [(row["key"], row["stage"]) for row in unseen(facts, "catalog_tables")] == [
        ("m/prod/?schemas/?catalog_tables", "production")
    ]


def test_a_metastore_that_was_not_found_leaves_every_catalog_unknown() -> None:
    facts = Facts()
    facts.add(Workspace(key=PROD, plane="deployed"))
    facts.gap(Gap(Cause.UNREACHABLE, "metastores", "dead", plane="deployed", parent=PROD))
    (row,) = unseen(facts, "catalogs")
    assert row["stage"] is None


def test_a_list_of_one_workspace_says_nothing_of_another() -> None:
    facts = estate(("jobs", DEV))
    facts.add(Job(key=f"{DEV}#1", plane="deployed", place=DEV))
    assert [(row["place"], row["stage"]) for row in unseen(facts, "jobs")] == [(PROD, "production")]


def test_the_reason_is_the_gap_of_that_list() -> None:
    facts = estate(("jobs", DEV))
    facts.gap(Gap(Cause.REFUSED, "jobs", "403", plane="deployed", parent=PROD))
    found = prepare(facts, POLICY, filled=frozenset(TABLES), needed=frozenset({"jobs"}), planes=LIVE, command="audit")
    assert [found.gaps[row["gap"]].reason for row in found.rows["jobs"]] == ["403"]


def test_a_list_that_nobody_marked_is_a_defect_unless_somebody_said_why() -> None:
    facts = estate(("schemas", "m/prod"), ("schemas", "m/dev"))
    found = prepare(facts, POLICY, filled=frozenset(TABLES), needed=frozenset({"catalog_tables"}), planes=LIVE)
    assert {found.gaps[row["gap"]].cause for row in found.rows["catalog_tables"]} == {Cause.FAILED}
    facts.otherwise(Gap(Cause.NOT_ASKED, "catalog_tables", "too many", plane="deployed"))
    found = prepare(facts, POLICY, filled=frozenset(TABLES), needed=frozenset({"catalog_tables"}), planes=LIVE)
    assert {found.gaps[row["gap"]].reason for row in found.rows["catalog_tables"]} == {"too many"}


def test_a_run_that_a_version_names_and_nobody_read_stands_there_by_its_name() -> None:
    facts = Facts()
    facts.add(Model(key="m/prod.ml.churn", plane="deployed", name="prod.ml.churn", catalog="prod"))
    for number, run in (("1", f"{PROD}/a"), ("2", f"{PROD}/b"), ("3", None)):
        key = f"m/prod.ml.churn/{number}"
        facts.add(ModelVersion(key=key, plane="deployed", model="m/prod.ml.churn", catalog="prod", run=run, run_workspace=PROD))
    facts.add(Run(key=f"{PROD}/a", plane="deployed", workspace=PROD))
    with facts.listing("models", "model_versions", plane="deployed"):
        pass
    with facts.listing("runs", plane="deployed", of="m/prod.ml.churn/1"):
        pass
    facts.gap(Gap(Cause.EXPIRED, "runs", "gone", plane="deployed", parent="m/prod.ml.churn/2"))
    rows = {row["key"]: row["stage"] for row in unseen(facts, "runs")}
    assert rows == {f"{PROD}/b": "production", "m/prod.ml.churn/3/?runs": "production"}


def test_without_gaps_nothing_is_added() -> None:
    facts = estate(
        ("schemas", "m/prod"), ("schemas", "m/dev"), ("catalog_tables", "m/prod.s"), ("catalog_tables", "m/dev.s"), ("jobs", PROD), ("jobs", DEV)
    )  # fmt: skip
    facts.add(CatalogTable(key="m/prod.s.t", plane="deployed", catalog="prod"))
    assert unseen(facts, "catalog_tables") == []
    assert unseen(facts, "jobs") == []


def test_what_only_a_repository_has_is_not_missed_on_a_live_plane() -> None:
    assert unseen(estate(), "files") == []
    assert unseen(estate(), "code_calls") == []
