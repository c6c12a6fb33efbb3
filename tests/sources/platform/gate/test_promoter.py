"""Who promotes: what the policy and the registry let it do, and what it did before; and the features of a version."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contract import Estate, faults, serve
from tests.sources.platform.databricks.learning import JOBS, MODEL, TAGS
from tests.sources.platform.gate.gating import PROMOTER, Gated, estate_of, gated, policy_of

PATH = f"/api/2.1/unity-catalog/effective-permissions/function/{MODEL}"
#: The right to read everything around the model.
ADMIN = {"workspace_admin": True, "metastore_admin": True}
TABLE = "/api/2.1/unity-catalog/tables/{}"


def told(estate: Estate, who: Any, *, fault: str = "", **policy: Any) -> tuple[Gated, dict[str, Any]]:
    with serve(estate) as server:
        if fault:
            server.faults.add("GET", fault, faults.refused())
        found = gated(server, who, policy_of(server.url, **policy))
    return found, found.rows("promoters")[0]


def with_promoter(**more: Any) -> tuple[Estate, Any]:
    """The estate, and the service principal that owns the model."""
    estate = estate_of(**more)
    who = estate.service_principal("promoter", PROMOTER, **ADMIN)
    return estate, who


def let(estate: Estate, who: Any, right: str) -> None:
    """Grant a right on the model, and what it takes to reach it."""
    for kind, name, one in (("catalog", "prod", "USE_CATALOG"), ("schema", "prod.ml", "USE_SCHEMA"), ("function", MODEL, right)):
        estate.grant(kind, name, who.name, [one])


def test_the_principal_that_owns_the_model_and_is_named_may_promote() -> None:
    estate, who = with_promoter()
    found, row = told(estate, who)
    assert row == {
        "key": "metastore-1/prod.ml.churn/3",
        "identity": f"service_principal:{PROMOTER}",
        "is_named": True,
        "is_able": True,
        "is_other": True,
    }
    assert found.check(17) == "pass"


def test_who_trained_may_not_promote() -> None:
    estate = estate_of()
    who = estate.service_principal("prod-jobs", JOBS, **ADMIN)
    found, row = told(estate, who, identities={"promote": (JOBS,)})
    assert row["is_other"] is False
    assert found.check(17) == "fail"


def test_a_job_run_that_cannot_be_read_leaves_open_who_trained() -> None:
    """The run's own tag names a service principal, but anybody may have written it who may edit the run."""
    estate, who = with_promoter()
    found, row = told(estate, who, fault="/api/2.2/jobs/runs/get")
    assert "is_other" not in row
    assert (found.check(10), found.check(16), found.check(17)) == ("missing", "missing", "missing")


def test_a_reader_may_not_move_the_alias() -> None:
    estate = estate_of()
    who = estate.user("reader@example.com")
    let(estate, who, "EXECUTE")
    found, row = told(estate, who)
    assert (row["is_named"], row["is_able"]) == (False, False)
    assert found.check(17) == "fail"


def test_manage_is_as_good_as_owning() -> None:
    estate = estate_of()
    who = estate.user("manager@example.com")
    let(estate, who, "MANAGE")
    assert told(estate, who)[1]["is_able"] is True


def test_a_policy_that_names_nobody_leaves_it_open() -> None:
    estate, who = with_promoter()
    found, row = told(estate, who, identities={})
    assert "is_named" not in row
    assert found.check(17) == "missing"
    assert "identities.promote" in found.told(17)


@pytest.mark.parametrize("change", [{"created_by": ""}, {"run": {"tags": {**TAGS, "mlflow.user": ""}, "user_id": ""}}])
def test_whoever_made_it_and_is_not_known_may_be_the_promoter(change: dict[str, Any]) -> None:
    estate, who = with_promoter(**change)
    if "run" in change:
        estate.job(11, settings={"name": "train"}, run_as="")
    found, row = told(estate, who)
    assert "is_other" not in row
    assert found.check(17) == "missing"


def test_rights_that_are_not_told_are_missing() -> None:
    estate = estate_of()
    who = estate.user("manager@example.com")
    let(estate, who, "MANAGE")
    assert "is_able" not in told(estate, who, fault=PATH)[1]


# --- feature tables ---------------------------------------------------------------------------------------------------


def looks_up(*tables: str) -> dict[str, Any]:
    return {"model_version_dependencies": {"dependencies": [{"table": {"table_full_name": name}} for name in tables]}}


def with_features(*tables: str, keys: tuple[str, ...] = ("id",)) -> Estate:
    estate = estate_of(**looks_up(*tables))
    for name in dict.fromkeys(tables):
        catalog, schema, _ = name.split(".")
        estate.schema(f"{catalog}.{schema}")
        estate.table(name, keys=keys)
    return estate


@pytest.mark.parametrize(
    ("estate", "outcome"),
    [
        (estate_of(), "pass"),
        (with_features("prod.fs.users"), "pass"),
        (with_features("prod.fs.users", "dev.fs.items"), "fail"),
        (with_features("prod.fs.users", keys=()), "fail"),
    ],
)
def test_features_are_of_production_and_keyed(estate: Estate, outcome: str) -> None:
    with serve(estate) as server:
        assert gated(server).check(12) == outcome


def test_a_feature_table_that_cannot_be_read_is_missing() -> None:
    with serve(with_features("prod.fs.users")) as server:
        server.faults.add("GET", TABLE.format("prod.fs.users"), faults.refused())
        found = gated(server)
    assert found.check(12) == "missing"
    assert "SELECT on the table prod.fs.users" in found.told(12)
