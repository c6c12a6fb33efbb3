from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakewarden.sources.repository.ci.commands.action import Action
from lakewarden.sources.repository.ci.commands.recognise import recognise, unwrapped
from lakewarden.sources.repository.ci.commands.uses import action_of, command_of
from lakewarden.sources.repository.ci.workflow import HOLE


def what(line: str, **given: str) -> Action | None:
    return recognise(unwrapped(shlex.split(line)), given)


@pytest.mark.parametrize(
    ("line", "kind", "target"),
    [
        ("databricks bundle deploy", "bundle_deploy", ""),
        ("databricks bundle deploy -t prod", "bundle_deploy", "prod"),
        ("databricks bundle deploy -tprod", "bundle_deploy", "prod"),
        ("databricks bundle deploy --target prod", "bundle_deploy", "prod"),
        ("databricks bundle deploy --target=prod --auto-approve", "bundle_deploy", "prod"),
        ("databricks bundle deploy -e prod", "bundle_deploy", "prod"),
        ("databricks --profile x -t prod bundle validate", "bundle_validate", "prod"),
        ("./bin/databricks bundle run --refresh-all train -t prod", "bundle_run", "prod"),
        ("databricks bundle run train --params a=b", "bundle_run", ""),
        ("databricks bundle destroy -t dev --auto-approve", "bundle_destroy", "dev"),
        ("databricks bundle plan -t dev", "bundle_validate", "dev"),
        ("databricks bundle summary", "bundle_summary", ""),
        ("databricks bundle deploy --var='a=b' -t prod", "bundle_deploy", "prod"),
        ("databricks bundle deploy --var a=b -t prod", "bundle_deploy", "prod"),
        ("sudo env A=b databricks bundle deploy -t prod", "bundle_deploy", "prod"),
        ("timeout 10m databricks bundle deploy -t prod", "bundle_deploy", "prod"),
        ("uv run databricks bundle deploy -t prod", "bundle_deploy", "prod"),
        ("poetry run databricks bundle deploy -t prod", "bundle_deploy", "prod"),
        ("time databricks bundle deploy -t prod", "bundle_deploy", "prod"),
    ],
)
def test_commands_of_bundles(line: str, kind: str, target: str) -> None:
    found = what(line)
    assert found is not None
    assert (found.kind, found.target, found.tool) == (kind, target, "bundle")


def test_a_target_from_the_environment_counts_where_no_flag_is_given() -> None:
    assert what("databricks bundle deploy", DATABRICKS_BUNDLE_TARGET="prod") == Action(
        "bundle_deploy", "bundle", "prod", changes=True
    )
    assert what("databricks bundle deploy", DATABRICKS_BUNDLE_ENV="prod") == Action(
        "bundle_deploy", "bundle", "prod", changes=True
    )
    assert what("databricks bundle deploy -t dev", DATABRICKS_BUNDLE_TARGET="prod") == Action(
        "bundle_deploy", "bundle", "dev", changes=True
    )


@pytest.mark.parametrize(
    ("words", "target"),
    [
        (("databricks", "bundle", "deploy", "-t", HOLE), None),
        (("databricks", "bundle", "deploy", f"--target={HOLE}"), None),
        (("databricks", "bundle", "deploy", "-t", f"prod_{HOLE}"), None),
        (("databricks", "bundle", "deploy", HOLE), None),
        (("databricks", "bundle", "run", HOLE, "-t", "prod"), "prod"),
        (("databricks", "bundle", "run", HOLE), ""),
        (("databricks", "bundle", "deploy", f"--var=sha={HOLE}"), ""),
        ((HOLE, "bundle", "deploy", "-t", "prod"), "prod"),
    ],
)
def test_a_target_that_is_not_known(words: tuple[str, ...], target: str | None) -> None:
    found = recognise(words, {})
    assert found is not None
    assert found.target == target


def test_the_check_of_the_branch_is_switched_off_by_force_alone() -> None:
    assert [what(f"databricks bundle deploy {flag}").forced for flag in ("--force", "--force-lock", "")] == [True, False, False]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "line",
    [
        "databricks bundle deploy --help", "databricks --version", "databricks bundle init default-python", "databricks auth login",
        "databricks bundle schema", "databricks fs cp dist/a.whl dbfs:/libs/a.whl", "databricks fs ls dbfs:/models", "databricks jobs list",
        "databricks", "pip install pytest", "pip install databricks-cli", "pytest --version", "pytest --collect-only", "tox -e lint",
        "nox -s docs", "terraform plan", "terraform init", "npm test", "go test ./...", "coverage report",
        "mlflow run .", "python -m build", "python setup.py sdist", "uv sync", "poetry install", "echo databricks bundle deploy", "hatch build",
    ],
)  # fmt: skip
def test_commands_that_rules_do_not_ask_about(line: str) -> None:
    assert what(line) is None


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("pytest", "unit_test"),
        ("py.test tests/unit", "unit_test"),
        ("python -m pytest -q", "unit_test"),
        ("python3.11 -W ignore -m pytest", "unit_test"),
        ("python -m unittest discover -s tests", "unit_test"),
        ("coverage run -m pytest", "unit_test"),
        ("coverage run --source src -m pytest tests", "unit_test"),
        ("uv run pytest", "unit_test"),
        ("uv run --group test -m pytest", "unit_test"),
        ("uv run --with pytest pytest -x", "unit_test"),
        ("poetry run pytest", "unit_test"),
        ("pipenv run python -m pytest", "unit_test"),
        ("hatch run pytest", "unit_test"),
        ("hatch run test:pytest", "unit_test"),
        ("hatch test", "unit_test"),
        ("conda run -n env pytest", "unit_test"),
        ("xvfb-run -a pytest", "unit_test"),
        ("docker run --rm image pytest tests", "unit_test"),
        ("docker compose run app pytest tests", "unit_test"),
        ("tox", "unit_test"),
        ("tox -e py311", "unit_test"),
        ("nox -s tests", "unit_test"),
        ("mvn -B verify", "unit_test"),
        ("sbt clean test", "unit_test"),
        ("pytest tests/integration", "integration_test"),
        ("pytest tests/test_e2e.py", "integration_test"),
        ("pytest -m integration", "integration_test"),
        ("pytest -m 'integration or slow'", "integration_test"),
        ("pytest -m 'not integration'", "unit_test"),
        ("pytest -m 'not (integration or slow)'", "unit_test"),
        ("pytest -k smoke", "integration_test"),
        ("pytest tests/unit tests/integration", "unit_test"),
        ("pytest tests --ignore=tests/integration", "unit_test"),
        ("pytest --ignore tests/integration", "unit_test"),
        ("pytest tests/operating_system", "unit_test"),
        ("nutter run dbfs:/x --cluster_id 1", "integration_test"),
    ],
)
def test_commands_that_test(line: str, kind: str) -> None:
    assert what(line) == Action(kind)


@pytest.mark.parametrize(
    ("line", "kind", "tool"),
    [
        ("terraform apply -auto-approve", "terraform_apply", "terraform"),
        ("terraform -chdir=prod apply", "terraform_apply", "terraform"),
        ("tofu apply", "terraform_apply", "terraform"),
        ("terragrunt run-all apply", "terraform_apply", "terraform"),
        ("dbx deploy --environment prod", "dbx_deploy", "dbx"),
        ("python -m dbx launch --job x", "dbx_run", "dbx"),
        ("databricks jobs create --json @job.json", "cli_deploy", "cli"),
        ("databricks jobs run-now --job-id 1", "cli_run", "cli"),
        ("databricks workspace import_dir src /Shared/prod", "cli_deploy", "cli"),
        ("databricks repos update --path /Repos/Prod/x --branch main", "cli_deploy", "cli"),
        ("databricks pipelines start-update 1", "cli_run", "cli"),
    ],
)
def test_other_commands_that_deploy(line: str, kind: str, tool: str) -> None:
    found = what(line)
    assert found is not None
    assert (found.kind, found.tool, found.target) == (kind, tool, None)


@pytest.mark.parametrize(
    "line",
    [
        "databricks fs cp -r dbfs:/models/churn ./model", "databricks fs cp model.pkl dbfs:/FileStore/x", "export-model --model churn",
        "import-model --input-dir out", "databricks fs cp out/MLmodel /Volumes/a/b/c/", "azcopy copy models https://x.blob.core.windows.net/m",
    ],
)  # fmt: skip
def test_commands_that_carry_models(line: str) -> None:
    assert what(line) == Action("model_copy")


@pytest.mark.parametrize(
    ("uses", "inputs", "kind"),
    [
        ("databricks/setup-cli@main", {}, None),
        ("actions/checkout@v4", {}, None),
        ("databricks/run-notebook@v0", {"local-notebook-path": "x"}, "integration_test"),
        ("acme/databricks-bundle-deploy@v1", {"target": "prod"}, "bundle_deploy"),
        ("acme/deploy-dab@v1", {"environment": "prod"}, "bundle_deploy"),
        ("acme/databricks-bundle-action@v1", {"command": "validate"}, "bundle_validate"),
        ("DataThirstLtd.databricksDeployScriptsTasks.databricksDeployScriptsTask.databricksDeployScripts@1", {}, "cli_deploy"),
        ("TerraformTaskV4@4", {"command": "apply"}, "terraform_apply"),
        ("TerraformTaskV4@4", {"command": "plan"}, None),
        ("pavelzw/pytest-action@v2", {}, "unit_test"),
        ("configuredatabricks@0", {}, None),
    ],
)
def test_actions(uses: str, inputs: dict[str, str], kind: str | None) -> None:
    found = action_of(uses, inputs)
    assert (None if found is None else found.kind) == kind


def test_actions_that_run_commands() -> None:
    assert command_of("azure/CLI@v2", {"inlineScript": "pytest"}) == "pytest"
    assert command_of("nick-fields/retry@v3", {"command": "pytest", "max_attempts": "2"}) == "pytest"
    assert command_of("actions/checkout@v4", {"command": "pytest"}) == ""


@given(
    st.lists(
        st.sampled_from(
            ["databricks", "bundle", "deploy", "-t", "--target", "prod", HOLE, "uv", "run", "sudo", "env", "A=b", "--", "pytest", "-m",
             "python", "", "-", "=", "xargs", "docker", "timeout", "hatch", "x:y", "terraform", "apply", "dbx", "tox", "npm", "jobs", "fs", "cp"]
        ),
        max_size=12,
    )
)  # fmt: skip
def test_any_command_can_be_read(words: list[str]) -> None:
    found = recognise(unwrapped(words), {})
    assert found is None or found.kind


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("dbfs cp -r --overwrite out/mlflow/churn/artifacts/ dbfs:/FileStore/mlflow/churn/ --profile PROD", "model_copy"),
        ("databricks fs cp -r dbfs:/models/churn ./churn", "model_copy"),
        ("databricks fs cp model.pkl dbfs:/FileStore/churn/", "model_copy"),
        ("dbfs cp src/batch_model.py dbfs:/FileStore/code/batch_model.py", None),
        ("databricks fs cp dist/model-1.0-py3-none-any.whl dbfs:/libraries/", None),
        ("dbfs ls dbfs:/models", None),
        ("aws s3 sync s3://staging/models/churn s3://prod/models/churn", "model_copy"),
        ("aws s3 cp --recursive s3://staging/models/churn s3://prod/models/churn", "model_copy"),
        ("gsutil -m cp -r gs://staging/models gs://prod/models", "model_copy"),
        ("aws s3 cp model.pkl s3://prod/models/churn", None),
        ("aws s3 cp s3://staging/data/a.parquet s3://prod/data/a.parquet", None),
        ("aws ecr get-login-password", None),
        ("python -c 'client.copy_model_version(a, b)'", "model_copy"),
        ("python -c 'print(1)'", None),
        ("curl -X POST https://x.cloud.databricks.com/api/2.1/jobs/reset -d @job.json", "cli_deploy"),
        ("curl -X POST $HOST/api/2.0/workspace/import -F path=/Shared/a", "cli_deploy"),
        ("curl -X POST $HOST/api/2.1/jobs/run-now -d '{}'", "cli_run"),
        ("curl $HOST/api/2.1/jobs/runs/get?run_id=1", None),
        ("curl $HOST/api/2.1/jobs/list", None),
    ],
)
def test_models_that_are_carried_and_calls_of_the_rest_interface(line: str, kind: str | None) -> None:
    found = what(line)
    assert (None if found is None else found.kind) == kind
