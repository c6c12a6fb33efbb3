from __future__ import annotations

import pytest
from tests.sources.code.reading import gather, rows

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
        ("04_Webhook_E2E_Test.py", False),
    ],
)
def test_tests(path: str, expected: bool) -> None:
    assert roles.is_test(path) is expected


@pytest.mark.parametrize(
    ("module", "names", "expected"),
    [
        ("sklearn.ensemble", ("RandomForestClassifier",), True),
        ("pyspark.ml.classification", ("LogisticRegression",), True),
        ("xgboost", (), True),
        ("sklearn.preprocessing", ("StandardScaler",), False),
        ("pyspark.ml.feature", ("VectorAssembler",), False),
        ("my.ensemble", ("RandomForestClassifier",), False),
    ],
)
def test_what_learns_is_told_from_what_prepares(module: str, names: tuple[str, ...], expected: bool) -> None:
    assert roles.is_estimator(module, names) is expected


def test_a_file_that_fits_an_estimator_trains_whatever_its_name() -> None:
    source = "from sklearn.linear_model import LogisticRegression\nclf = LogisticRegression()\nclf.fit(X, y)\n"
    facts = gather({"census.py": source, "shape.py": source.replace("LogisticRegression", "StandardScaler")})
    assert rows(facts, "file_roles", "file", "role") == [("repository/census.py", "training"), ("repository/shape.py", "other")]
