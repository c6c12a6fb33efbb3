"""What MLflow's client asks of Databricks and databricks-sdk does not know: paths and fields of MLflow's protocol files."""

from __future__ import annotations

_UC = "/api/2.0/mlflow/unity-catalog"
_NONE: frozenset[str] = frozenset()

# verb, path, keys of the query, keys of the body, response, list, paged; the SDK has no class for any answer.
MLFLOW_OPERATIONS: tuple[tuple[str, str, frozenset[str], frozenset[str], str | None, str | None, bool], ...] = (
    ("GET", f"{_UC}/registered-models/get", frozenset({"name"}), _NONE, None, None, False),
    ("GET", f"{_UC}/registered-models/alias", frozenset({"name", "alias"}), _NONE, None, None, False),
    ("GET", f"{_UC}/registered-models/search", frozenset({"max_results", "page_token"}), _NONE, None, "registered_models", True),
    ("GET", f"{_UC}/model-versions/get", frozenset({"name", "version"}), _NONE, None, None, False),
    (
        "GET",
        f"{_UC}/model-versions/search",
        frozenset({"filter", "max_results", "page_token"}),
        _NONE,
        None,
        "model_versions",
        True,
    ),
    ("POST", f"{_UC}/model-versions/set-tag", _NONE, frozenset({"name", "version", "key", "value"}), None, None, False),
    ("GET", "/api/2.0/mlflow/registered-models/get", frozenset({"name"}), _NONE, None, None, False),
)
