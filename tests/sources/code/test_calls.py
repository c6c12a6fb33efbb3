from __future__ import annotations

import pytest
from tests.sources.code.reading import access, apis, call, calls, gather


@pytest.mark.parametrize(
    ("source", "api"),
    [
        ("import mlflow\nmlflow.sklearn.log_model(m, 'm')", "mlflow.log_model"),
        ("import mlflow.pyfunc\nmlflow.pyfunc.log_model(name='m')", "mlflow.log_model"),
        ("import mlflow as ml\nml.xgboost.autolog()", "mlflow.autolog"),
        ("from mlflow import register_model as r\nr('runs:/1/m', 'a.b.c')", "mlflow.register_model"),
        ("from mlflow import sklearn\nsklearn.log_model(m, 'm')", "mlflow.log_model"),
        ("from mlflow.models import evaluate\nevaluate('x', df)", "mlflow.evaluate"),
        ("mlflow.autolog()", "mlflow.autolog"),  # brought in by %run
        ("import mlflow\nmlflow.genai.evaluate(data=d)", "mlflow.genai.evaluate"),
        ("from databricks import automl\nautoml.classify(df)", "databricks.automl"),
        ("from pytorch_lightning.loggers import MLFlowLogger\nMLFlowLogger()", "mlflow.callback"),
        ("from transformers import TrainingArguments\nTrainingArguments('o', report_to=['mlflow'])", "mlflow.callback"),
        (
            "from ray.air.integrations.mlflow import MLflowLoggerCallback\nrun(callbacks=[MLflowLoggerCallback()])",
            "mlflow.callback",
        ),
        ("from ray.air.integrations.mlflow import setup_mlflow\nsetup_mlflow(config)", "mlflow.callback"),
        ("import os\nos.environ['MLFLOW_REGISTRY_URI'] = 'databricks'", "mlflow.set_registry_uri"),
        ("spark.conf.set('spark.mlflow.modelRegistryUri', 'databricks')", "mlflow.set_registry_uri"),
        ("print(mv.current_stage)", "mlflow.current_stage"),
        ("import xgboost as xgb\nxgb.train(params, d)", "fit"),
        ("model.fit(X, y)", "fit"),
        ("import mlflow\nmlflow.set_tags({'mlflow.source.git.commit': sha})", "mlflow.set_tag"),
        (
            "from databricks.sdk import WorkspaceClient\nWorkspaceClient().model_registry.transition_stage('m')",
            "WorkspaceClient.model_registry",
        ),
        (
            "from databricks.sdk import WorkspaceClient\nw = WorkspaceClient()\nw.registered_models.set_alias('a.b.c', 'champion', 3)",
            "WorkspaceClient.registered_models.set_alias",
        ),
        ("from mlflow_export_import.bulk import export_all\nexport_all.run()", "mlflow_export_import"),
    ],
)
def test_canonical_names(source: str, api: str) -> None:
    assert api in apis(source)


@pytest.mark.parametrize(
    "client",
    [
        "from mlflow import MlflowClient as C\nc = C()",
        "from mlflow.tracking import MlflowClient\nc = MlflowClient()",
        "from mlflow.tracking.client import MlflowClient\nc = MlflowClient()",
        "import mlflow\nc = mlflow.MlflowClient()",
        "import mlflow\nc = mlflow.tracking.MlflowClient()",
        "import mlflow\ndef make():\n    return mlflow.MlflowClient()\nc = make()",
        "from mlflow import MlflowClient\nc: MlflowClient = MlflowClient()",
        "from mlflow import MlflowClient\nif x:\n    c = MlflowClient()\nelse:\n    c = MlflowClient()",
        "",
    ],
)
def test_a_client_by_whatever_name(client: str) -> None:
    found = call(
        f"{client}\nc.transition_model_version_stage(name='a.b.c', version=1, stage='Production')",
        "mlflow.transition_model_version_stage",
    )
    assert (found.argument, found.name_levels, found.version_from) == ("a.b.c", 3, "literal")


def test_a_client_of_an_object_a_parameter_and_a_function() -> None:
    source = """
        from mlflow import MlflowClient
        class Deployer:
            def deploy(self, v):
                self.client.set_registered_model_alias(self.name, "champion", v)
            def __init__(self):
                self.client = MlflowClient()
                self.name = "dev.ml.churn"
        def promote(client: MlflowClient, version):
            client.delete_registered_model_alias("a.b.c", "challenger")
        """
    found = call(source, "mlflow.set_registered_model_alias")
    assert (found.argument, found.name_levels, found.version_from) == ("champion", 3, "parameter")
    assert call(source, "mlflow.delete_registered_model_alias").argument == "challenger"


@pytest.mark.parametrize(
    "source",
    [
        "foo.log_model(m)",
        "import wandb\nwandb.log_model('x')",
        "class Tracker:\n    def autolog(self): ...\nt = Tracker()\nt.autolog()\nt.transition_model_version_stage('m', 1, 'Staging')",
        "def register_model(uri, name): ...\nregister_model('models:/a/1', 'b')",
        "self.tracker.transition_model_version_stage(model_name=n)",
        "mlflow = object()\nmlflow.autolog()",
        "# mlflow.autolog()\n'mlflow.autolog()'",
        "model.train()\nscaler.fit(X)\nStandardScaler().fit(X)",
        "from transformers import TrainingArguments\nTrainingArguments('o', report_to='none')",
        "import pickle\npickle.load(f)",
        "if False:\n    import mlflow\n    mlflow.autolog()",
        "import mlflow\ndef f():\n    return 1\n    mlflow.autolog()",
    ],
)
def test_what_is_none_of_them(source: str) -> None:
    assert apis(source) == []


def test_the_feature_client_under_all_its_names() -> None:
    for client in (
        "from databricks.feature_engineering import FeatureEngineeringClient\nfe = FeatureEngineeringClient()",
        "from databricks.feature_store import FeatureStoreClient\nfe = FeatureStoreClient()",
        "from databricks import feature_store\nfe = feature_store.FeatureStoreClient()",
        "",
    ):
        source = f"{client}\nfe.log_model(model=m, flavor=f, training_set=ts, registered_model_name='churn')"
        found = call(source, "FeatureEngineeringClient.log_model")
        assert (found.name_levels, found.model_from, found.has_signature) == (1, "run", True)


_OLD = "from databricks.feature_store import FeatureStoreClient\n"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("fs = FeatureStoreClient()", ["FeatureStoreClient"]),
        ("work(FeatureStoreClient())", ["FeatureStoreClient"]),
        ("fs = FeatureStoreClient()\nfs.log_model(model=m, flavor=f, training_set=t)", ["FeatureStoreClient"]),
        ("fs = FeatureStoreClient()\nfs.create_table(name='a.b', primary_keys=['id'])", ["FeatureStoreClient.create_table"]),
        (
            "fs = FeatureStoreClient()\nfs.create_table(name='a.b', primary_keys=['id'])\nfs.read_table(name='a.b')",
            ["FeatureStoreClient", "FeatureStoreClient.create_table"],
        ),
        (
            "def f(fs: FeatureStoreClient):\n    fs.create_table(name='a.b', primary_keys=['id'])",
            ["FeatureStoreClient.create_table"],
        ),
        (
            "def f(fs: 'FeatureStoreClient'):\n    fs.create_table(name='a.b', primary_keys=['id'])",
            ["FeatureStoreClient.create_table"],
        ),
        ("def f(fs: FeatureStoreClient):\n    return fs", []),
    ],
)
def test_the_client_of_the_workspace_feature_store(source: str, expected: list[str]) -> None:
    assert [api for api in apis(_OLD + source) if api.startswith("FeatureStoreClient")] == expected
    new = source.replace("FeatureStoreClient", "FeatureEngineeringClient")
    assert not any(api.startswith("FeatureStoreClient") for api in apis("from databricks.feature_engineering import *\n" + new))


def test_a_class_that_is_reached_through_its_module_is_the_same_class() -> None:
    source = "from databricks import feature_store\nfe = feature_store.FeatureStoreClient()\nfe.drop_table('ml.prod.f')\n"
    dropped = access(source)
    assert (dropped.access, dropped.name, dropped.is_feature) == ("drop", "ml.prod.f", True)


@pytest.mark.parametrize(
    ("name", "levels", "argument"),
    [
        ("'churn'", 1, "churn"),
        ("'ml.churn'", 2, "ml.churn"),
        ("'prod.ml.churn'", 3, "prod.ml.churn"),
        ("f'{catalog}.ml.churn'", 3, None),
        ("f'{catalog}.{schema}.{name}'", 3, None),
        ("f'{schema}.churn'", None, None),
        ("name", None, None),
        ("catalog + '.ml.' + 'churn'", 3, None),
        ("'{}.ml.{}'.format(catalog, name)", 3, None),
        ("'%s.ml.churn' % catalog", 3, None),
        ("'.'.join([catalog, 'ml', 'churn'])", 3, None),
        ("'.'.join(['prod', 'ml', 'churn'])", 3, "prod.ml.churn"),
        ("None", 0, "none"),
    ],
)
def test_levels_of_a_name_and_its_value(name: str, levels: int | None, argument: str | None) -> None:
    found = call(f"import mlflow\nmlflow.sklearn.log_model(m, 'm', registered_model_name={name})", "mlflow.log_model")
    assert (found.name_levels, found.argument) == (levels, argument)
    assert bool(found.unclear) is (argument is None)


def test_names_through_constants_functions_and_widgets() -> None:
    source = """
        import mlflow
        CATALOG = "prod"
        settings = {"schema": "ml", "model": "churn"}
        def full(name):
            return f"{CATALOG}.{settings['schema']}.{name}"
        name = full(settings["model"])
        mlflow.register_model("runs:/1/m", name)
        widget = dbutils.widgets.get("model")
        mlflow.register_model("runs:/1/m", f"{widget}")
        """
    first, second = calls(source, "mlflow.register_model")
    assert (first.argument, first.name_levels) == ("prod.ml.churn", 3)
    assert (second.argument, second.name_levels) == (None, None)


def test_what_depends_on_a_branch_is_not_guessed() -> None:
    source = """
        import mlflow
        if env == "prod":
            name = "prod.ml.churn"
        else:
            name = "dev.ml.churn"
        mlflow.register_model("runs:/1/m", name)
        """
    assert call(source, "mlflow.register_model").argument is None


def test_a_branch_that_ends_does_not_count() -> None:
    source = """
        import mlflow
        uri = "databricks-uc"
        if broken:
            uri = "databricks"
            raise ValueError(uri)
        mlflow.set_registry_uri(uri)
        """
    assert call(source, "mlflow.set_registry_uri").argument == "databricks-uc"


def test_a_loop_does_not_leave_its_first_value() -> None:
    source = """
        import mlflow
        name = "a.b.c"
        for i in range(3):
            mlflow.set_experiment(name)
            name = name + "x"
        """
    assert call(source, "mlflow.set_experiment").argument is None


def test_functions_see_what_the_module_binds_later_unless_it_varies() -> None:
    source = """
        import mlflow
        def one():
            mlflow.set_experiment(later)
        def two():
            mlflow.set_registry_uri(varies)
        later = "/Shared/churn"
        varies = "databricks"
        varies = "databricks-uc"
        """
    assert call(source, "mlflow.set_experiment").argument == "/Shared/churn"
    assert call(source, "mlflow.set_registry_uri").argument is None


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("m, 'm'", False),
        ("m, 'm', signature=s", True),
        ("m, 'm', input_example=X[:1]", True),
        ("m, 'm', signature=None", False),
        ("m, 'm', **kwargs", None),
        ("m, 'm', **{'signature': s}", True),
        ("m, 'm', conda, code, fmt, name, sig", None),
    ],
)
def test_signatures(arguments: str, expected: bool | None) -> None:
    found = call(f"import mlflow\nmlflow.sklearn.log_model({arguments})", "mlflow.log_model")
    assert found.has_signature is expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [("", False), ("disable=True", True), ("disable=False", False), ("disable=flag", None), ("silent=True", False)],
)
def test_autolog_that_disables(arguments: str, expected: bool | None) -> None:
    assert call(f"import mlflow\nmlflow.sklearn.autolog({arguments})", "mlflow.autolog").disables is expected


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("'/Users/ann@example.com/churn'", "person"),
        ("'/Users/ann/churn'", "person"),
        ("'/Users/0f8fad5b-d9cb-469f-a165-70867728950e/churn'", "workspace"),
        ("'/Shared/churn'", "everyone"),
        ("'/Workspace/Shared/churn'", "everyone"),
        ("'/churn'", "workspace"),
        ("'churn'", "other"),
        ("f'/Users/{spark.sql(\"select current_user()\").collect()[0][0]}/churn'", "deployer"),
        ("f'/Users/{dbutils.notebook.entry_point.getDbutils().notebook().getContext().userName().get()}/x'", "deployer"),
        ("f'/Users/{dbutils.widgets.get(\"who\")}/churn'", None),
        ("f'/Shared/{env}/churn'", "everyone"),
        ("f'/{team}/churn'", None),
        ("path", None),
    ],
)
def test_places_of_experiments(path: str, place: str | None) -> None:
    assert call(f"import mlflow\nmlflow.set_experiment({path})", "mlflow.set_experiment").path_place == place


@pytest.mark.parametrize(
    ("source", "api", "place", "checkpoint"),
    [
        ("import joblib\njoblib.dump(m, '/dbfs/models/churn.pkl')", "joblib.dump", "dbfs", False),
        ("import joblib\njoblib.dump(m, 'churn.pkl')", "joblib.dump", "relative", False),
        ("import pickle\nwith open('/dbfs/m.pkl', 'wb') as f:\n    pickle.dump(m, f)", "pickle.dump", "dbfs", False),
        ("import torch, os\ntorch.save(m, os.path.join('/Volumes/a/b/c', 'ckpt.pt'))", "torch.save", "volume", True),
        ("import torch\nfrom pathlib import Path\ntorch.save(m, Path('/mnt') / 'x')", "torch.save", "mount", False),
        ("import torch\ntorch.save(m, path)", "torch.save", None, None),
        ("model.save('/dbfs/keras')", "model.save", "dbfs", False),
        ("model.save_pretrained('s3://bucket/x')", "model.save_pretrained", "cloud", False),
        ("import mlflow\nmlflow.sklearn.save_model(m, '/dbfs/x')", "mlflow.save_model", "dbfs", False),
    ],
)
def test_models_kept_outside_mlflow(source: str, api: str, place: str | None, checkpoint: bool | None) -> None:
    found = call(source, api)
    assert (found.path_place, found.is_checkpoint) == (place, checkpoint)


_EXTENDED = """
from transformers import Trainer
class Mine(Trainer):
    def compute_loss(self, model, inputs): return 0
class Further(Mine): pass
trainer = Further(model=m)
trainer.train()
trainer.save_model('/dbfs/models/x')
"""


def test_an_object_of_a_class_that_extends_one_of_a_library_trains_and_saves_as_that_one() -> None:
    assert call(_EXTENDED, "model.save").path_place == "dbfs"
    assert "fit" in apis(_EXTENDED)


def test_what_a_class_does_itself_is_read_there_and_nothing_is_inherited_from_the_repository() -> None:
    own = _EXTENDED.replace(
        "class Further(Mine): pass", "class Further(Mine):\n    def train(self): pass\n    def save_model(self, p): pass"
    )
    assert apis(own) == []
    assert apis(_EXTENDED.replace("from transformers", "from churn.training")) == []
    assert apis("class Plan:\n    name = ''\nplan = Plan()\nplan.fit(1)") == []


@pytest.mark.parametrize("made", ["str(int(time.time()))", "time.time()", "datetime.now().strftime('%Y')", "uuid.uuid4().hex"])
def test_a_name_that_a_function_makes_is_no_step_of_a_training(made: str) -> None:
    source = f"import time, uuid\nfrom datetime import datetime\nname = 'm-' + {made}\nmodel.save('/Volumes/a/b/c/' + name)"
    assert call(source, "model.save").is_checkpoint is False


@pytest.mark.parametrize("step", ["get_step()", "str(epoch)", "f'{epoch}'"])
def test_a_name_that_speaks_of_a_step_is_one_of_a_checkpoint(step: str) -> None:
    assert call(f"model.save('/Volumes/a/b/c/m-' + {step})", "model.save").is_checkpoint is True


def test_a_tokenizer_that_is_saved_is_no_model_and_hashing_is_no_training() -> None:
    assert apis("AutoTokenizer.from_pretrained('x').save_pretrained('/dbfs/x')") == []
    assert apis("kmeans_pca = KMeans(3)\nkmeans_pca.fit(scores)") == ["fit"]
    assert apis("pca_model = PCA(3)\npca_model.fit(x)") == []
    assert apis("lsh = MinHashLSH(inputCol='f')\nlsh.fit(df)") == []
    assert apis("AutoModel.from_pretrained('x').save_pretrained('/dbfs/x')") == ["model.save_pretrained"]


def test_a_frame_that_is_saved_is_no_model() -> None:
    assert apis("df.write.format('delta').save('/dbfs/x')") == []


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("n, v, 'Approval_Check', 'Approved'", True),
        ("name=n, version=v, key='k', value='approved'", True),
        ("n, v, 'approved', True", True),
        ("n, v, 'validation', 'PASSED'", False),
        ("n, v, 'approval', answer", None),
        ("n, v, 'owner', team", False),
    ],
)
def test_approvals(arguments: str, expected: bool | None) -> None:
    source = f"from mlflow import MlflowClient\nMlflowClient().set_model_version_tag({arguments})"
    assert call(source, "mlflow.set_model_version_tag").is_approval is expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("copy_model_version('models:/staging.ml.churn/4', 'prod.ml.churn')", ("copy", "staging", "prod")),
        ("copy_model_version(f'models:/{c}.ml.churn/4', 'prod.ml.churn')", ("copy", None, "prod")),
        ("copy_model_version('models:/churn/4', 'churn2')", ("copy", "none", "none")),
    ],
)
def test_copies(source: str, expected: tuple[str | None, ...]) -> None:
    found = call(f"from mlflow import MlflowClient\nMlflowClient().{source}", "mlflow.copy_model_version")
    assert (found.model_from, found.from_catalog, found.to_catalog) == expected


def test_registering_a_version_of_another_model_is_a_copy() -> None:
    found = call(
        "import mlflow\nmlflow.register_model('models:/staging.ml.churn@champion', 'prod.ml.churn')", "mlflow.register_model"
    )
    assert (found.model_from, found.from_catalog, found.to_catalog) == ("copy", "staging", "prod")


def test_texts_for_people_are_no_calls_and_calls_inside_them_are() -> None:
    source = """
        from mlflow import MlflowClient
        c = MlflowClient()
        print(f"models:/churn/Production {c.get_latest_versions('churn')}")
        """
    assert apis(source) == ["mlflow.get_latest_versions"]


@pytest.mark.parametrize(
    ("uri", "elsewhere"),
    [
        ("'http://localhost:5000'", True),
        ("'sqlite:///mlflow.db'", True),
        ("'databricks'", False),
        ("'databricks-uc'", False),
        ("'https://adb-1.azuredatabricks.net'", False),
        ("uri", False),
    ],
)
def test_a_server_outside_databricks(uri: str, elsewhere: bool) -> None:
    code = "import mlflow\nmlflow.{}({})\nmlflow.register_model('runs:/1/m', 'churn')\nmlflow.pyfunc.load_model('models:/churn/Production')"
    for method in ("set_tracking_uri", "set_registry_uri"):
        facts = gather({"a.py": code.format(method, uri)})
        told = [row.__dict__["api"] for row in facts.rows["code_calls"]]
        assert ("mlflow.register_model" not in told) is elsewhere
        assert (facts.rows["code_literals"] == []) is elsewhere


def test_a_server_that_only_some_cases_choose_counts_for_nothing() -> None:
    code = "import mlflow\nif local:\n    mlflow.set_tracking_uri('http://localhost:5000')\nmlflow.register_model('runs:/1/m', 'churn')"
    assert [row.__dict__["api"] for row in gather({"a.py": code}).rows["code_calls"]] == ["mlflow.register_model"]


@pytest.mark.parametrize(
    ("key", "value", "approval"),
    [
        ("approval_check_status", "skipped_for_testing", True),
        ("Approval", "true", True),
        ("stage_approval", "auto-approved", True),
        ("approval_required", "true", False),
        ("approval_status", "pending", False),
        ("approval_status", "rejected", False),
        ("smoke_tests", "skipped", False),
        ("validated", "true", False),
    ],
)
def test_a_tag_that_does_without_approval(key: str, value: str, approval: bool) -> None:
    source = f"import mlflow\nmlflow.MlflowClient().set_model_version_tag('a.b.c', '1', '{key}', '{value}')"
    assert call(source, "mlflow.set_model_version_tag").is_approval is approval
