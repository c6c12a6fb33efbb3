"""Production deployment waits for tests and an approval.

Why:
    A deploying job that waits for nothing starts together with the tests, or without them, and a red test comes too late. An
    approval in a protected environment gives a person the last word at the moment that counts.

Fix:
    Give the deploying job `needs: [integration-test]` and `environment: prod` with required reviewers (in Azure Pipelines an
    environment with approvals, in GitLab a protected environment).

Exceptions:
    A job that runs only for a release branch waits enough, if that branch takes changes only after an approval and
    successful checks; one that a tag or a release starts does not: it may stand on any commit. With `approval = "none"` in the
    policy, delivery is automatic and only tests are asked for.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/dev-tools/ci-cd/flows
    https://docs.databricks.com/aws/en/dev-tools/ci-cd/best-practices
"""

from lakewarden.rule import MEDIUM, RECOMMENDED, WARNING, Rule

rule = Rule(
    code="DEP011",
    name="guarded-deployment",
    subject="ci_deployments",
    severity=WARNING,
    confidence=MEDIUM,
    profile=RECOMMENDED,
    message={
        "waits_for_tests": "this job deploys {target_name} without waiting for tests: add needs with the job that runs them",
        "is_approved": "this job deploys {target_name} without an approval: run it in a protected environment",
    },
    query="""
        SELECT d.*, d.stage = 'production' AND d.action = 'deploy' AS applies, j.origin AS related,
               d.branch_guarded OR CASE WHEN j.key IS NULL THEN NULL ELSE (
                   SELECT any_of(u.kind IN ('unit_test', 'integration_test', 'bundle_run', 'dbx_run', 'cli_run'))
                   FROM ci_upstream u WHERE u.plane = j.plane AND u.ci_job = j.key) END AS waits_for_tests,
               p.approval = 'none' OR d.branch_guarded OR j.environment_protected AS is_approved
        FROM ci_deployments d CROSS JOIN policy p LEFT JOIN ci_jobs j ON j.plane = d.plane AND j.key = d.ci_job
    """,
)
