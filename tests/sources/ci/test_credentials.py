from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sources.ci.linking import BUNDLE, github, see

from lakewarden.sources.repository.ci.credentials import kind_of, of_variables

CI = ".github/workflows/ci.yml"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("DATABRICKS_TOKEN", "pat"),
        ("PROD_DATABRICKS_TOKEN", "pat"),
        ("DATABRICKS_PROD_WS_TOKEN", "pat"),
        ("databricks-token-dev", "pat"),
        ("DATABRICKS_PAT", "pat"),
        ("dbxToken", "pat"),
        ("DATABRICKS_CLIENT_SECRET", "m2m_secret"),
        ("DATABRICKS_SP_CLIENT_SECRET_PROD", "m2m_secret"),
        ("ARM_CLIENT_SECRET", "azure_sp_secret"),
        ("prodAzureSpClientSecret", "azure_sp_secret"),
        ("DATABRICKS_CONFIG_PROFILE", "profile"),
        ("DATABRICKS_HOST", None),
        ("DATABRICKS_CLIENT_ID", None),
        ("DATABRICKS_OIDC_TOKEN_ENV", None),
        ("DATABRICKS_TOKEN_AUDIENCE", None),
        ("GITHUB_TOKEN", None),
        ("CODECOV_TOKEN", None),
        ("DB_PASSWORD", None),
        ("AZURE_CLIENT_ID", None),
        ("CLIENT_SECRET", None),
        ("PYPI_TOKEN", None),
    ],
)
def test_kinds_by_name(name: str, kind: str | None) -> None:
    assert kind_of(name) == kind


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("${{ secrets.PROD_PAT }}", ["PROD_PAT"]),
        ("${{ vars.PROD_PAT }}", ["PROD_PAT"]),
        ("${{ secrets['PROD_PAT'] }}", ["PROD_PAT"]),
        ("$(prod-token)", ["prod-token"]),
        ("$PROD_PAT", ["PROD_PAT"]),
        ("dapi0123456789abcdef0123456789abcdef", [""]),
        ("a dummy for tests", []),
        ("", []),
        ("${{ steps.login.outputs.token }}", []),
        ("$(login.token)", []),
        ("$(AAD_TOKEN)", []),
        ("$(madeByAStep)", []),
        ("\0", []),
    ],
)
def test_where_a_token_is_kept(value: str, kept: list[str]) -> None:
    found = of_variables({"DATABRICKS_TOKEN": value}, frozenset({"madebyastep"}))
    assert [(one.secret, one.kind) for one in found] == [(name, "pat") for name in kept]


def credentials(workflow: str, path: str = CI) -> list[tuple[str, str | None, str | None]]:
    return see({"databricks.yml": BUNDLE, path: workflow}).values("ci_credentials", "name", "kind", "target")


def test_the_stage_of_a_credential() -> None:
    deploy = "- run: databricks bundle deploy -t {}\n  env: {{DATABRICKS_TOKEN: '${{{{ secrets.{} }}}}'}}"
    assert credentials(github(deploy.format("dev", "PROD_TOKEN"))) == [("PROD_TOKEN", "pat", "churn/prod")]
    assert credentials(github(deploy.format("prod", "TOKEN"))) == [("TOKEN", "pat", "churn/prod")]
    assert credentials(github(deploy.format("$X", "TOKEN"))) == [("TOKEN", "pat", None)]


def test_a_credential_is_for_production_where_any_step_uses_it_there() -> None:
    job = "env: {DATABRICKS_TOKEN: '${{ secrets.TOKEN }}'}"
    steps = (
        "- run: databricks bundle deploy -t dev\n- run: databricks bundle deploy -t $X\n- run: databricks bundle deploy -t prod"
    )
    assert credentials(github(steps, job=job)) == [("TOKEN", "pat", "churn/prod")]
    assert credentials(github(steps.rpartition("\n")[0], job=job)) == [("TOKEN", "pat", None)]


def test_by_host_and_by_environment() -> None:
    assert credentials(
        github("- run: databricks fs ls", job="env: {DATABRICKS_TOKEN: '${{ secrets.T }}'}\nenvironment: staging")
    ) == [("T", "pat", "churn/staging")]
    env = "env: {DATABRICKS_TOKEN: '${{ secrets.T }}', DATABRICKS_HOST: 'https://acme-prod.cloud.databricks.com'}"
    assert credentials(github("- run: databricks fs ls", job=env)) == [("T", "pat", "churn/prod")]


def test_one_that_other_jobs_use_too() -> None:
    workflow = """
on: pull_request
env: {DATABRICKS_TOKEN: '${{ secrets.TOKEN }}'}
jobs:
  test: {runs-on: x, steps: [{uses: actions/checkout@v4}, {run: pytest}]}
  deploy: {runs-on: x, steps: [{uses: actions/checkout@v4}, {run: databricks bundle deploy -t staging}]}
"""
    # One line sets it, and pull requests reach it by either job: it is told once.
    assert credentials(workflow) == [("TOKEN", "pat", "churn/staging")]


def test_secrets_that_texts_and_inputs_name() -> None:
    steps = """
- run: ./login.sh ${{ secrets.prodAzureSpClientSecret }}
- uses: databricks/run-notebook@v0
  with: {databricks-token: "${{ secrets.STAGING_DATABRICKS_TOKEN }}"}
- run: echo ${{ secrets.CODECOV_TOKEN }}
"""
    assert credentials(github(steps)) == [
        ("prodAzureSpClientSecret", "azure_sp_secret", "churn/prod"),
        ("STAGING_DATABRICKS_TOKEN", "pat", "churn/staging"),
    ]


def test_federation_and_logins() -> None:
    top = "permissions: {id-token: write}"
    job = "env: {DATABRICKS_AUTH_TYPE: github-oidc, DATABRICKS_CLIENT_ID: '${{ vars.X }}'}"
    seen = see({"databricks.yml": BUNDLE, CI: github("- run: databricks bundle deploy -t prod", top=top, job=job)})
    assert seen.values("ci_credentials", "name", "kind", "target") == [("DATABRICKS_AUTH_TYPE", "oidc", "churn/prod")]
    assert seen.values("target_deployments", "as_service_principal") == [True]


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ("DATABRICKS_CLIENT_SECRET: '${{ secrets.A }}'", True),
        ("ARM_CLIENT_SECRET: '${{ secrets.A }}'", True),
        ("DATABRICKS_TOKEN: '${{ secrets.A }}'", None),
        ("OTHER: x", None),
    ],
)
def test_whose_credentials_deploy(env: str, expected: bool | None) -> None:
    workflow = github("- run: databricks bundle deploy -t prod", job=f"env: {{{env}}}")
    assert see({"databricks.yml": BUNDLE, CI: workflow}).values("target_deployments", "as_service_principal") == [expected]


def test_a_workflow_that_has_nothing_to_do_with_databricks() -> None:
    assert credentials(github("- run: az login", job="env: {ARM_CLIENT_SECRET: '${{ secrets.ARM_CLIENT_SECRET }}'}")) == []


def test_a_job_that_only_tests_or_only_works_on_azure() -> None:
    workflow = """
on: push
jobs:
  test: {runs-on: x, env: {ARM_CLIENT_SECRET: '${{ secrets.A }}'}, steps: [{uses: actions/checkout@v4}, {run: pytest}]}
  deploy: {runs-on: x, steps: [{uses: actions/checkout@v4}, {run: databricks bundle deploy -t prod}]}
"""
    assert credentials(workflow) == []


def test_one_secret_in_two_stages() -> None:
    deploy = "- run: databricks bundle deploy -t staging\n- run: databricks bundle run x -t prod"
    job = "env: {DATABRICKS_TOKEN: '${{ secrets.TOKEN }}', OTHER_DATABRICKS_TOKEN: '${{ secrets.OTHER }}'}"
    seen = see({"databricks.yml": BUNDLE, CI: github(deploy, job=job)})
    assert seen.values("principal_stages", "principal", "acts_in", "is_deploy") == [
        ("credential:TOKEN", "staging", True),
        ("credential:TOKEN", "production", False),
    ]
    # In an environment the secret may have another value.
    assert see({"databricks.yml": BUNDLE, CI: github(deploy, job=f"{job}\nenvironment: x")}).rows("principal_stages") == []


def test_the_line_that_sets_a_credential() -> None:
    workflow = github("- run: databricks bundle deploy -t prod", top="env:\n  DATABRICKS_TOKEN: ${{ secrets.T }}")
    (row,) = see({"databricks.yml": BUNDLE, CI: workflow}).rows("ci_credentials")
    assert row.origin is not None
    assert workflow.splitlines()[(row.origin.line or 0) - 1].strip() == "DATABRICKS_TOKEN: ${{ secrets.T }}"


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_variable_can_be_read(name: str, value: str) -> None:
    for one in of_variables({name: value}, frozenset()):
        assert one.kind is not None
