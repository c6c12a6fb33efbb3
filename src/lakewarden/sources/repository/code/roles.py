"""What a file is for: by the words of its path, else by what it calls."""

from __future__ import annotations

import re
from functools import cache, lru_cache

_BY_WORD = {
    "training": ("train", "training", "trainer", "retrain", "retraining", "finetune", "finetuning"),
    "validation": (
        "validate",
        "validation",
        "validator",
        "evaluate",
        "evaluation",
        "eval",
        "compare",
        "comparison",
        "benchmark",
        "backtest",
        "backtesting",
        "abtest",
        "abtesting",
    ),
    "approval": ("approval", "approve"),
    "deployment": ("deploy", "deployment", "promote", "promotion"),
    "inference": ("inference", "infer", "predict", "prediction", "predictions", "score", "scoring"),
    "feature": ("feature", "features", "featurize", "featurization", "featurestore"),
    "ingestion": ("ingest", "ingestion", "autoloader", "bronze"),
    "monitor": ("monitor", "monitors", "monitoring", "drift"),
}
_ROLES = {word: role for role, words in _BY_WORD.items() for word in words}
#: Words that turn the word beside them into the name of a thing: training data, a data validation.
_THINGS = frozenset(
    {"data", "dataset", "datasets", "set", "table", "tables", "schema", "input", "inputs", "test", "config", "utils", "base"}
)
#: What the name of a folder may say besides its role; other words make it the name of a project.
_IN_FOLDERS = frozenset({
    "model", "models", "batch", "online", "realtime", "engineering", "pipeline", "pipelines", "job", "jobs", "notebook", "notebooks",
    "ml", "mlops", "store", "step", "steps", "service", "serving", "src", "code", "tasks", "stage", "and", *_ROLES,
})  # fmt: skip
_RAW = frozenset({"raw", "landing", *_BY_WORD["ingestion"]})
_BOOSTING = frozenset({"xgboost", "lightgbm", "catboost", "tensorflow", "keras", "torch", "prophet", "pmdarima"})
_LEARNING = frozenset({"sklearn", "pyspark", "statsmodels", "transformers", "trl", "lifelines"})
_ESTIMATORS = (
    "Classifier", "Regressor", "Regression", "SVC", "SVR", "ALS", "ElasticNet", "Lasso", "Ridge", "NB", "KMeans", "GaussianMixture",
    "IsolationForest", "ARIMA", "SARIMAX", "ExponentialSmoothing", "Trainer", "CoxPHFitter", "AFTFitter", "AalenAdditiveFitter",
)  # fmt: skip
#: Modules of nothing but estimators, where they are imported as a whole.
_OF_ESTIMATORS = frozenset({
    "classification", "regression", "recommendation", "clustering", "linear_model", "ensemble", "svm", "tree", "neighbors",
    "naive_bayes", "neural_network",
})  # fmt: skip
_TESTS = frozenset({"tests", "test", "fixtures", "testing"})
_JOINED = {"fine": ("tune", "tuned", "tuning"), "ab": ("test", "testing")}
_FOLDERS = 2


@cache
def _words_pattern() -> re.Pattern[str]:
    return re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@lru_cache(maxsize=65_536)
def is_test(path: str) -> bool:
    """Is the file a test, or does it stand among tests or fixtures?"""
    *folders, name = path.lower().split("/")
    stem = name.rpartition(".")[0]
    # `..._test` in small letters, as pytest collects it: `04_Webhook_E2E_Test` is a notebook that people run.
    ends = path.rpartition(".")[0].endswith("_test") and not stem.endswith("ab_test")
    named = stem.startswith("test_") or stem in ("conftest", "test") or ends
    return named or not _TESTS.isdisjoint(folders)


@lru_cache(maxsize=65_536)
def of_path(path: str) -> frozenset[str]:
    """The roles that the words of a path give: of the file's name, else of the nearest folder that gives one."""
    *folders, name = path.split("/")
    stem = name.rpartition(".")[0]
    if is_test(path) or stem in ("__init__", "setup", "__main__"):
        return frozenset()
    by_name = of_name(stem)
    if by_name:
        return by_name
    for folder in reversed(folders[-_FOLDERS:]):
        if _words(folder) <= _IN_FOLDERS:
            found = of_name(folder)
            if found:
                return found
    return frozenset()


def _words(name: str) -> set[str]:
    return {word for word in _split(name) if not word.isdigit()}


def _split(name: str) -> list[str]:
    """The words of a name in lower case; `fine_tune`, `fine-tuning` and `ab_test` are one word."""
    words = [word.lower() for word in _words_pattern().findall(name)]
    for at in range(len(words) - 1, 0, -1):
        if words[at] in _JOINED.get(words[at - 1], ()):
            words[at - 1 : at + 1] = [words[at - 1] + words[at]]
    return words


@lru_cache(maxsize=4_096)
def of_name(name: str) -> frozenset[str]:
    """The roles that the words of one name give."""
    words = _split(name)
    found = set()
    for at, word in enumerate(words):
        role = _ROLES.get(word)
        if role is None:
            continue
        if role == "training" and at + 1 < len(words) and words[at + 1] in _THINGS:
            continue
        if word == "bronze" and words[at + 1 : at + 2] == ["to"]:
            continue  # it reads what has arrived
        if role == "validation" and not _THINGS.isdisjoint(words[max(0, at - 1) : at + 2]):
            continue
        found.add(role)
    return frozenset(found)


def is_raw(name: str) -> bool:
    """Does a name say that a table holds data as it arrived?"""
    return not _RAW.isdisjoint(_split(name))


def is_estimator(module: str, names: tuple[str, ...]) -> bool:
    """Does an import bring in what learns to predict, rather than what prepares data?"""
    top = module.partition(".")[0]
    if top in _BOOSTING:
        return True
    if top not in _LEARNING:
        return False
    whole = {*(names if module == "sklearn" else ()), *([module.rpartition(".")[2]] if not names or "*" in names else ())}
    return not whole.isdisjoint(_OF_ESTIMATORS) or any(name.endswith(_ESTIMATORS) for name in names)


def of_calls(signs: frozenset[str]) -> frozenset[str]:
    """The roles that the calls of a file give."""
    found = signs & {"deployment", "validation", "feature", "ingestion", "monitor"}
    if "fit" in signs and not signs.isdisjoint(("log_model", "run", "estimator")):
        found |= {"training"}
    if "inference" in signs or ("load_model" in signs and found <= {"feature"}):
        found |= {"inference"}
    return frozenset(found)
