from __future__ import annotations

import pytest

from lakewarden.sources.repository.code import roles


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("training/notebooks/Train.py", {"training"}),
        ("scripts/fine_tune_llama.py", {"training"}),
        ("notebooks/FineTuning.py", {"training"}),
        ("scripts/tune_fine.py", set()),
        ("tasks/ab_test_simulation.py", {"validation"}),
        ("tasks/ab_test.py", {"validation"}),
        ("tasks/ABTest.py", {"validation"}),
        ("training/notebooks/TrainWithFeatureStore.py", {"training", "feature"}),
        ("validation/notebooks/ModelValidation.py", {"validation"}),
        ("deployment/batch_inference/notebooks/BatchInference.py", {"inference"}),
        ("deployment/model_deployment/deploy.py", {"deployment"}),
        ("deployment/model_deployment/notebooks/run.py", {"deployment"}),
        ("feature_engineering/features/pickup.py", {"feature"}),
        ("src/04_challenger_approval.py", {"approval"}),
        ("monitoring/drift.py", {"monitor"}),
        ("etl/ingest_raw.py", {"ingestion"}),
        ("scripts/score.py", {"inference"}),
        ("retrain_model.ipynb", {"training"}),
        ("data/training_data.py", set()),
        ("train_test_split.py", set()),
        ("data_validation.py", set()),
        ("validate_schema.py", set()),
        ("utils.py", set()),
        ("training/__init__.py", set()),
        ("training/a/b/c/utils.py", set()),
        ("tests/test_train.py", set()),
        ("strain.py", set()),
        ("lendingclub_scoring/tasks/data.py", set()),
        ("02_model_training/notebook.py", {"training"}),
        ("lendingclub_scoring/tasks/eval.py", {"validation"}),
        ("setup.py", set()),
    ],
)
def test_roles_by_path(path: str, expected: set[str]) -> None:
    assert roles.of_path(path) == expected


@pytest.mark.parametrize(
    ("signs", "expected"),
    [
        ({"fit", "log_model"}, {"training"}),
        ({"fit", "run"}, {"training"}),
        ({"fit"}, set()),
        ({"load_model"}, {"inference"}),
        ({"load_model", "validation"}, {"validation"}),
        ({"load_model", "fit", "log_model"}, {"training"}),
        ({"inference", "feature"}, {"inference", "feature"}),
        ({"deployment", "load_model"}, {"deployment"}),
        (set(), set()),
    ],
)
def test_roles_by_calls(signs: set[str], expected: set[str]) -> None:
    assert roles.of_calls(frozenset(signs)) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("tests/unit/train.py", True),
        ("test_train.py", True),
        ("train_test.py", True),
        ("conftest.py", True),
        ("src/fixtures/a.py", True),
        ("src/contest.py", False),
        ("src/latest.py", False),
        ("testing_ground.py", False),
    ],
)
def test_tests(path: str, expected: bool) -> None:
    assert roles.is_test(path) is expected
