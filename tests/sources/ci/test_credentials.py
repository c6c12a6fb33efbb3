from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sources.ci.linking import BUNDLE, github, see

from lakewarden.sources.repository.ci.credentials import kind_of, of_configuration, of_variables
from lakewarden.sources.repository.ci.other import kept

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


@given(
    st.sampled_from(["DATABRICKS_TOKEN", "ARM_CLIENT_SECRET", "DATABRICKS_CONFIG_PROFILE"]) | st.text(max_size=40),
    st.text(max_size=40),
)
def test_any_variable_can_be_read(name: str, value: str) -> None:
    for one in of_variables({name: value}, frozenset()):
        assert one.name == name
        assert kind_of(name) is not None


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ('echo "token = ${{ secrets.WORKSPACE_TOKEN }}" >> ~/.databrickscfg', [("WORKSPACE_TOKEN", "pat")]),
        ("echo ${{ secrets.MY_PAT }} | databricks configure --token --host https://x", [("MY_PAT", "pat")]),
        ("export DATABRICKS_TOKEN=${{ secrets.TOKEN }}; databricks jobs list", [("TOKEN", "pat")]),
        ('echo "DATABRICKS_CLIENT_SECRET=${{ secrets.SP_SECRET }}" >> $GITHUB_ENV', [("SP_SECRET", "m2m_secret")]),
        ('curl -H "Authorization: Bearer ${{ secrets.API_TOKEN }}" https://x/api/2.1/jobs/list', [("API_TOKEN", "pat")]),
        ("export DATABRICKS_TOKEN=dapi" + "0" * 32, [("DATABRICKS_TOKEN", "pat")]),
        ("export DATABRICKS_TOKEN=${{ steps.login.outputs.token }}; databricks jobs list", []),
        ("databricks configure --host ${{ secrets.HOST }}; git push https://${{ secrets.GITHUB_TOKEN }}@github.com/a/b", []),
        ("databricks jobs list; curl -H 'X-Token: ${{ secrets.NPM_TOKEN }}' https://registry.npmjs.org", []),
        ('echo "token = ${{ secrets.WORKSPACE_TOKEN }}" >> ~/.netrc', []),
    ],
)
def test_what_a_script_hands_to_the_cli_under_any_name(script: str, found: list[tuple[str, str]]) -> None:
    steps = f"- run: |\n    {script}\n- run: databricks bundle deploy -t prod"
    assert [(name, kind) for name, kind, _ in credentials(github(steps))] == found


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("export DATABRICKS_TOKEN=$TOKEN_OF_PROD", ["TOKEN_OF_PROD"]),
        ("export DATABRICKS_TOKEN=$DATABRICKS_TOKEN_PROD", ["DATABRICKS_TOKEN_PROD"]),
        ('echo -e "host = https://x\\ntoken = ${API_TOKEN}" > ~/.databrickscfg', ["API_TOKEN"]),
        ("DATABRICKS_TOKEN=$(./login); echo $DATABRICKS_TOKEN", []),
    ],
)
def test_what_gitlab_keeps_is_read_by_scripts(script: str, found: list[str]) -> None:
    seen = see(
        {"databricks.yml": BUNDLE, ".gitlab-ci.yml": f"d:\n  script:\n    - {script!r}\n    - databricks bundle deploy -t prod\n"}
    )
    assert seen.values("ci_credentials", "name") == found


def test_a_secret_that_opens_production_opens_it_in_every_workflow() -> None:
    def of(target: str, on: str, job: str = "") -> str:
        step = f"- run: databricks bundle deploy -t {target}\n  env: {{DATABRICKS_TOKEN: '${{{{ secrets.TOKEN }}}}'}}"
        return github(step, on=on, job=job)

    files = {
        "databricks.yml": BUNDLE,
        ".github/workflows/a.yml": of("staging", "pull_request"),
        ".github/workflows/b.yml": of("prod", "push"),
    }
    assert see(files).values("ci_credentials", "target") == ["churn/prod", "churn/prod"]
    files[".github/workflows/b.yml"] = of("prod", "push", "environment: prod")
    assert see(files).values("ci_credentials", "target") == ["churn/staging", "churn/prod"]


def test_credentials_of_systems_that_are_not_read() -> None:
    jenkins = """
// OLD_DATABRICKS_TOKEN = credentials('old')
environment { DATABRICKS_TOKEN = credentials('pat'); HOST = credentials('host') }
withCredentials([string(credentialsId: 'prod-databricks-token', variable: 'T')]) { sh 'x' }
"""
    assert [(one.name, one.kind, one.line) for one in kept(jenkins, "Jenkins")] == [
        ("DATABRICKS_TOKEN", "pat", 3),
        ("T", "pat", 4),
    ]
    bitbucket = """
# $OLD_DATABRICKS_TOKEN
script:
  - export DATABRICKS_TOKEN=$DATABRICKS_TOKEN_PROD
  - X_DATABRICKS_TOKEN=$(./login)
  - echo $X_DATABRICKS_TOKEN
"""
    assert [(one.name, one.line) for one in kept(bitbucket, "Bitbucket Pipelines")] == [("DATABRICKS_TOKEN_PROD", 4)]


@given(st.text(), st.sampled_from(["Jenkins", "CircleCI"]))
def test_any_file_of_another_system_can_be_read(text: str, system: str) -> None:
    assert all(one.line >= 1 for one in kept(text, system))


@pytest.mark.parametrize("system", ["Jenkins", "CircleCI"])
@pytest.mark.parametrize("part", ["\n", "/*", "//", "string(", "secretEnv:[", "$A_DATABRICKS_TOKEN", "token ", "# "])
def test_hostile_files_of_other_systems_take_no_time(part: str, system: str) -> None:
    assert len(list(kept(part * (200_000 // len(part)), system))) <= 1
    assert list(of_configuration("databricks configure " + part * (100_000 // len(part)), {}, (), frozenset())) == []
