"""The pipeline is deployed and run in staging before production.

Why:
    Unit tests do not find a missing grant, a library that the cluster lacks, or two tasks that disagree about a table. Only a
    run of the whole pipeline in a place like production does, and it has to happen before production.

Fix:
    In CI, deploy and run it in staging: `databricks bundle deploy -t staging` and `databricks bundle run <training job> -t
    staging`, or integration tests against what was deployed, before a change reaches the release branch.

Exceptions:
    A project is asked that has a production target, or that CI deploys to production: by another tool than bundles, or
    to a target that the bundle does not define.
    A nightly run in staging counts; one that nobody waits for (`--no-wait`) does not. For training that is very costly, run it on less data. A policy without a staging
    stage is not asked.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/dev-tools/ci-cd/best-practices
"""

from lakewarden.rule import ERROR, MEDIUM, RECOMMENDED, Rule

rule = Rule(
    code="DEP010",
    name="staging-before-production",
    subject="projects",
    severity=ERROR,
    confidence=MEDIUM,
    profile=RECOMMENDED,
    revision=4,
    message={
        "is_deployed": "CI never deploys {key} to staging: run databricks bundle deploy -t staging before production",
        "is_run": "CI never runs {key} in staging: run databricks bundle run -t staging, or integration tests, before production",
    },
    query="""
        SELECT x.*, x.plane = 'declared' AND p.has_staging AND (x.has_production OR (
                   SELECT any_of(s.kind IN ('bundle_deploy', 'terraform_apply', 'dbx_deploy', 'cli_deploy') AND s.stage = 'production') FROM ci_steps s
                   WHERE s.plane = x.plane AND s.project_key = x.key)) AS applies,
               (SELECT any_of(s.kind IN ('bundle_deploy', 'terraform_apply', 'dbx_deploy', 'cli_deploy') AND s.stage = 'staging' AND NOT s.ignores_failure)
                FROM ci_steps s WHERE s.plane = x.plane AND s.project_key = x.key) AS is_deployed,
               (SELECT any_of((s.kind = 'integration_test'
                              OR s.kind IN ('bundle_run', 'dbx_run', 'cli_run') AND s.stage = 'staging') AND NOT s.ignores_failure)
                FROM ci_steps s WHERE s.plane = x.plane AND s.project_key = x.key) AS is_run
        FROM projects x CROSS JOIN policy p
    """,
)
