"""Experiments: whose folder they are in."""

from __future__ import annotations

import pytest
from tests.contract import serve
from tests.live import facts_of
from tests.sources.platform.databricks.learning import JOBS, WANTED, learning, policy_of, told, verdict


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/Users/ana@example.com/churn", "fail"),
        (f"/Users/{JOBS}/churn", "pass"),
        ("/Shared/prod/churn", "pass"),
        ("/Workspace/Users/ana@example.com/notebook", "fail"),
    ],
)
def test_a_production_experiment_is_in_nobodys_folder(path: str, expected: str) -> None:
    estate = learning()
    estate.experiment("8", path)
    estate.experiment("9", "/Users/gone@example.com/old", lifecycle_stage="deleted")
    with serve(estate) as running:
        facts = facts_of(running, wanted=WANTED)
        key = f"{running.url}/experiments/8"
        assert verdict(facts, policy_of(running), "TRK005", "experiments", key) == expected
    assert told(facts, "experiments") == set()
    assert f"{running.url}/experiments/9" not in {row.key for row in facts.rows["experiments"]}
