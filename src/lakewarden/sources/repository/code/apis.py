"""The calls that rules ask about, by canonical name. To follow another call, add a line here.

Canonical names are short: functions of MLflow and methods of its client are `mlflow.<name>`, whichever flavor or module
they are called through; the feature engineering and feature store clients are `FeatureEngineeringClient.<name>`.
"""

from __future__ import annotations

from typing import NamedTuple

MLFLOW_CLIENT = "mlflow.MlflowClient"
FEATURE_CLIENT = "FeatureEngineeringClient"
OLD_FEATURE_CLIENT = "FeatureStoreClient"
WORKSPACE_CLIENT = "WorkspaceClient"


class Api(NamedTuple):
    """How to read one call. Each place is a keyword and a position; a position of -1 is never given by position.

    `argument` is the value that matters; `model` names a registered model; `path` says whose path the argument is,
    of a `file` or of the `workspace`;
    `version` is the number of a version; `model_source` the URI of what is registered; `model_uri` that of what is loaded;
    `sign` is a kind of work.
    """

    argument: tuple[str, int] | None = None
    model: tuple[str, int] | None = None
    path: str = ""
    version: tuple[str, int] | None = None
    model_source: tuple[str, int] | None = None
    model_uri: tuple[str, int] | None = None
    sign: str = ""


_NAME = ("name", 0)
_ANY = Api()

APIS: dict[str, Api] = {
    # training
    "fit": Api(sign="fit"),
    # tracking
    "mlflow.start_run": _ANY,
    "mlflow.autolog": Api(("registered_model_name", -1), ("registered_model_name", -1)),
    "mlflow.log_param": _ANY,
    "mlflow.log_params": _ANY,
    "mlflow.log_metric": _ANY,
    "mlflow.log_metrics": _ANY,
    "mlflow.log_input": _ANY,
    "mlflow.log_artifact": _ANY,
    "mlflow.log_artifacts": _ANY,
    "mlflow.log_model": Api(("registered_model_name", -1), ("registered_model_name", -1), sign="log_model"),
    "mlflow.save_model": Api(("path", 1), path="file"),
    "mlflow.set_tag": Api(("key", 0)),
    "mlflow.set_tags": _ANY,
    "mlflow.set_experiment": Api(("experiment_name", 0), path="workspace"),
    "mlflow.create_experiment": Api(_NAME, path="workspace"),
    "mlflow.enable_git_model_versioning": _ANY,
    "mlflow.callback": _ANY,
    "mlflow.data.load_delta": _ANY,
    "mlflow.data.from_spark": _ANY,
    "databricks.automl": Api(sign="fit"),
    # registry
    "mlflow.set_registry_uri": Api(("uri", 0)),
    MLFLOW_CLIENT: Api(("registry_uri", 1)),
    "mlflow.register_model": Api(("name", 1), ("name", 1), model_source=("model_uri", 0)),
    "mlflow.create_registered_model": Api(_NAME, _NAME),
    "mlflow.update_registered_model": _ANY,
    "mlflow.create_model_version": Api(_NAME, _NAME, model_source=("source", 1)),
    "mlflow.copy_model_version": Api(("dst_name", 1), ("dst_name", 1), model_source=("src_model_uri", 0), sign="deployment"),
    "mlflow.transition_model_version_stage": Api(_NAME, _NAME, version=("version", 1), sign="deployment"),
    "mlflow.get_latest_versions": Api(_NAME, _NAME),
    "mlflow.get_model_version_by_alias": Api(_NAME, _NAME),
    "mlflow.get_registered_model": Api(_NAME, _NAME),
    "mlflow.get_model_version_stages": Api(_NAME, _NAME, version=("version", 1)),
    "mlflow.current_stage": _ANY,
    "mlflow.search_model_versions": _ANY,
    "mlflow.set_registered_model_alias": Api(("alias", 1), _NAME, version=("version", 2), sign="deployment"),
    "mlflow.delete_registered_model_alias": Api(("alias", 1), _NAME, sign="deployment"),
    "mlflow.set_model_version_tag": Api(("key", 2), _NAME, version=("version", 1)),
    "mlflow.delete_model_version_tag": Api(("key", 2), _NAME, version=("version", 1)),
    "mlflow.create_webhook": Api(_NAME),
    "mlflow_export_import": _ANY,
    # use of models
    "mlflow.load_model": Api(model_uri=("model_uri", 0), sign="load_model"),
    "mlflow.spark_udf": Api(model_uri=("model_uri", 1), sign="inference"),
    "mlflow.download_artifacts": _ANY,
    "mlflow.evaluate": _ANY,
    "mlflow.genai.evaluate": _ANY,
    "mlflow.validate_evaluation_results": Api(sign="validation"),
    "validation.no_thresholds": _ANY,
    "databricks.agents.deploy": Api(("model_name", 0), version=("model_version", 1)),
    # features
    f"{FEATURE_CLIENT}.create_table": Api(sign="feature"),
    f"{FEATURE_CLIENT}.write_table": Api(sign="feature"),
    # The client of the workspace feature store.
    f"{OLD_FEATURE_CLIENT}.create_table": Api(_NAME, _NAME, sign="feature"),
    f"{OLD_FEATURE_CLIENT}.register_table": Api(("delta_table", 0), ("delta_table", 0), sign="feature"),
    # Another use of it: `name` is the table, or the model that is scored.
    OLD_FEATURE_CLIENT: Api(_NAME, _NAME),
    f"{FEATURE_CLIENT}.create_training_set": _ANY,
    f"{FEATURE_CLIENT}.log_model": Api(("registered_model_name", -1), ("registered_model_name", -1), sign="log_model"),
    f"{FEATURE_CLIENT}.score_batch": Api(model_uri=("model_uri", 0), sign="inference"),
    # the workspace registry and aliases through the SDK
    f"{WORKSPACE_CLIENT}.model_registry": _ANY,
    f"{WORKSPACE_CLIENT}.registered_models.set_alias": Api(
        ("alias", 1), ("full_name", 0), version=("version_num", 2), sign="deployment"
    ),
    f"{WORKSPACE_CLIENT}.registered_models.delete_alias": Api(("alias", 1), ("full_name", 0), sign="deployment"),
    # models kept outside MLflow
    "pickle.dump": Api(("file", 1), path="file"),
    "cloudpickle.dump": Api(("file", 1), path="file"),
    "joblib.dump": Api(("filename", 1), path="file"),
    "torch.save": Api(("f", 1), path="file"),
    "model.save": Api(("filepath", 0), path="file"),
    "model.save_pretrained": Api(("save_directory", 0), path="file"),
}

_OLD_FEATURES = tuple(api for api in APIS if api.startswith(OLD_FEATURE_CLIENT))
#: APIs that only look at a model that they name, or that name a table.
READS = frozenset({"mlflow.get_model_version_by_alias", "mlflow.get_registered_model", *_OLD_FEATURES})

#: Methods of the MLflow client and of its fluent module that no other library has: followed on a value of unknown class.
UNMISTAKABLE = frozenset({
    "transition_model_version_stage", "get_latest_versions", "get_model_version_stages", "copy_model_version", "set_registered_model_alias", "delete_registered_model_alias", "set_model_version_tag",
    "delete_model_version_tag", "create_model_version", "create_registered_model", "update_registered_model",
    "get_model_version_by_alias",
})  # fmt: skip

#: The same for the feature engineering client; `log_model` only with a training set.
UNMISTAKABLE_FEATURE = frozenset({"create_training_set", "score_batch"})

#: Names that notebooks use without importing them: predefined, or brought in by `%run`.
PREDEFINED = {
    "spark": "SparkSession",
    "sqlContext": "SparkSession",
    "dbutils": "dbutils",
}
FREE_NAMES = {
    "mlflow": "mlflow",
    "MlflowClient": MLFLOW_CLIENT,
    "DeltaTable": "delta.DeltaTable",
    "FeatureEngineeringClient": FEATURE_CLIENT,
    "FeatureStoreClient": FEATURE_CLIENT,
    "FeatureLookup": "FeatureLookup",
    "WorkspaceClient": WORKSPACE_CLIENT,
    "pd": "pandas",
    "os": "os",
    "sys": "sys",
    "joblib": "joblib",
    "pickle": "pickle",
}

_CLASSES = {
    "MlflowClient": MLFLOW_CLIENT,
    "FeatureEngineeringClient": FEATURE_CLIENT,
    "FeatureStoreClient": FEATURE_CLIENT,
    "FeatureLookup": "FeatureLookup",
    "WorkspaceClient": WORKSPACE_CLIENT,
    "DeltaTable": "delta.DeltaTable",
    "DBUtils": "DBUtils",
}
_PACKAGES = ("mlflow", "databricks", "delta", "pyspark")
_CALLBACKS = frozenset({
    "MLFlowLogger", "MLflowLogger", "MLflowCallback", "MlflowCallback", "MLflowLoggerCallback", "setup_mlflow", "build_logger",
})  # fmt: skip
_AUTOML = frozenset({"classify", "regress", "forecast"})
#: What of mlflow-export-import carries models, rather than helps with it.
_CARRIERS = frozenset({
    "export_model", "export_models", "export_all", "export_model_version", "import_model", "import_models", "import_all",
    "import_model_version", "copy_model_version", "ModelExporter", "ModelImporter", "BulkModelExporter", "BulkModelImporter",
})  # fmt: skip


def canonical_class(ref: str) -> str:
    """The canonical name of a class that is imported; the dotted name itself where there is none."""
    package, _, name = ref.rpartition(".")
    if name in _CLASSES and package.split(".", 1)[0] in _PACKAGES:
        return _CLASSES[name]
    return ref


def canonical(ref: str) -> str | None:
    """The canonical name of a function by its dotted name, None where no rule asks about it."""
    top, _, _ = ref.partition(".")
    last = ref.rpartition(".")[2]
    if last in _CALLBACKS:
        return "mlflow.callback"
    if top == "mlflow":
        if ref in APIS:
            return ref
        if ref.startswith("mlflow.genai.") and last == "evaluate":
            return "mlflow.genai.evaluate"
        short = f"mlflow.{last}"
        return short if short in APIS and last != "save" else None
    if top in ("joblib", "pickle", "cloudpickle", "torch", "sklearn") and ref in APIS:
        return ref
    if ref in ("sklearn.externals.joblib.dump", "dill.dump", "_pickle.dump"):
        return "joblib.dump" if "joblib" in ref else "pickle.dump"
    if top == "mlflow_export_import":
        return top if last in _CARRIERS or (last == "run" and not _CARRIERS.isdisjoint(ref.split("."))) else None
    if ref == "databricks.agents.deploy":
        return ref
    if top == "databricks" and ".automl" in ref and last in _AUTOML:
        return "databricks.automl"
    return None


def canonical_method(cls: str, name: str) -> str | None:
    """The canonical name of a method of a class, None where no rule asks about it."""
    if cls == MLFLOW_CLIENT:
        api = f"mlflow.{name}"
        return api if api in APIS else None
    if cls == FEATURE_CLIENT:
        api = f"{cls}.{name}"
        return api if api in APIS else None
    if cls.startswith(WORKSPACE_CLIENT):
        if cls == f"{WORKSPACE_CLIENT}.model_registry":
            return cls
        api = f"{cls}.{name}"
        return api if api in APIS else None
    return None


#: Keywords that MLflow 3 refuses, by API.
REFUSED_SINCE_3 = {"mlflow.evaluate": frozenset({"validation_thresholds", "baseline_model", "custom_metrics"})}
