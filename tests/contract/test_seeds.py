from __future__ import annotations

import pytest
from tests.contract import Estate, SeedRefusedError
from tests.contract.seeds import checked


def test_a_seed_that_the_sdk_reads_is_kept() -> None:
    seed = {"principal": "ana", "privileges": ["SELECT"]}
    assert checked("catalog.PrivilegeAssignment", seed) is seed


@pytest.mark.parametrize(
    ("name", "seed", "told"),
    [
        (
            "catalog.PrivilegeAssignment",
            {"principal": "a", "privileges": ["SELECT", "CREATE_MODEL_VERSION"]},
            "CREATE_MODEL_VERSION",
        ),
        ("catalog.PrivilegeAssignment", {"principal": "a", "privilege": ["SELECT"]}, "privilege"),
        ("catalog.CatalogInfo", {"name": "prod", "isolaton_mode": "OPEN"}, "isolaton_mode"),
        ("catalog.CatalogInfo", {"name": "prod", "isolation_mode": "SECLUDED"}, "SECLUDED"),
        ("jobs.BaseJob", {"job_id": 1, "run_as_user_name": "ana"}, "run_as_user_name"),
        ("jobs.Job", {"job_id": 1, "settings": []}, "settings"),
    ],
)
def test_a_seed_that_the_sdk_would_change_is_refused(name: str, seed: dict[str, object], told: str) -> None:
    with pytest.raises(SeedRefusedError, match=told):
        checked(name, seed)


def test_what_the_sdk_drops_is_seeded_on_purpose_and_listed() -> None:
    estate = Estate()
    with pytest.raises(SeedRefusedError):
        estate.grant("model", "a.b.c", "ana", ["CREATE_MODEL_VERSION"])
    estate.grant("model", "a.b.c", "ana", ["CREATE_MODEL_VERSION"], raw=True)
    estate.catalog("prod", raw={"new_field": 1})
    assert estate.raw == ["grant on model a.b.c: CREATE_MODEL_VERSION", "catalogs prod: new_field"]


def test_a_misspelt_field_of_any_object_is_refused() -> None:
    estate = Estate()
    with pytest.raises(SeedRefusedError):
        estate.job(1, settings={"nmae": "train"})
    with pytest.raises(SeedRefusedError):
        estate.model("a.b.c", versions=[{"runid": "1"}])
    with pytest.raises(SeedRefusedError):
        estate.permissions("jobs", 1, [{"user_name": "ana", "permission_level": "CAN_DO"}])
    with pytest.raises(SeedRefusedError):
        estate.answer("GET", "/api/2.0/x", {"nmae": 1}, cls="catalog.CatalogInfo")
