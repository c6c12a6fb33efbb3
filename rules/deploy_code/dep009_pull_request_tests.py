"""Pull requests run unit tests and validate the bundle.

Why:
    A pull request is the last moment at which a mistake costs nothing. If nothing runs then, or if the result is thrown
    away (`|| true`, `continue-on-error`), review is the only thing between a typo and the shared branch, and a bundle
    that cannot be deployed is found in staging.

Fix:
    Add a job on `pull_request` that runs `pytest` and `databricks bundle validate -t <target>`, and let both fail the job.

Exceptions:
    In a repository of several projects, the steps may stand in a workflow of another folder, as long as they cover this
    project. A bundle is asked whatever its targets are; a project without one where CI deploys or tests it. To deploy the
    bundle, to any target, validates it as well. Where there is no bundle, only tests are asked for. Where pytest finds no
    test, nothing is tested.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/dev-tools/ci-cd/best-practices
    https://docs.databricks.com/aws/en/dev-tools/ci-cd/github
"""

from lakewarden.rule import CORE, ERROR, MEDIUM, Rule

rule = Rule(
    code="DEP009",
    name="pull-request-tests",
    subject="projects",
    severity=ERROR,
    confidence=MEDIUM,
    profile=CORE,
    # MEDIUM: tests may run in a CI system of which the repository holds no file.
    revision=5,
    message={
        "is_tested": "no pull request of {key} has to pass unit tests: run pytest in a job on pull_request, and let it fail",
        "is_validated": "no pull request of {key} has to pass databricks bundle validate: run it in a job on pull_request",
    },
    query="""
        SELECT x.*, x.plane = 'declared' AND (x.has_production OR (
                   SELECT any_of(t.name = t.name) FROM targets t WHERE t.plane = x.plane AND t.project_key = x.key) OR (
                   SELECT any_of(s.kind NOT IN ('integration_test', 'bundle_validate', 'bundle_summary')) FROM ci_steps s
                   WHERE s.plane = x.plane AND s.project_key = x.key)) AS applies,
               (SELECT any_of(s.kind = 'unit_test' AND s.on_pull_request AND NOT s.ignores_failure) FROM ci_steps s
                WHERE s.plane = x.plane AND s.project_key = x.key) AS is_tested,
               NOT (SELECT any_of(t.key = t.key) FROM targets t WHERE t.plane = x.plane AND t.project_key = x.key)
                   OR (SELECT any_of(s.kind IN ('bundle_validate', 'bundle_deploy') AND s.on_pull_request AND NOT s.ignores_failure) FROM ci_steps s
                WHERE s.plane = x.plane AND s.project_key = x.key) AS is_validated
        FROM projects x
    """,
)
