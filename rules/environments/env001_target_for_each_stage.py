"""Every stage has its own deployment environment.

Why:
    Code becomes trustworthy by passing through stages: it is written in development, proved in staging and only then
    run in production. A stage without a target cannot be deployed to. The usual result is that staging is skipped, and
    the first full run of a change is the one on production data.

Fix:
    Add a target for the missing stage to `databricks.yml`, with its own workspace and catalog:

        targets:
          staging:
            mode: production
            workspace:
              host: https://churn-staging.cloud.databricks.com
            variables:
              catalog: staging

    A target whose name says nothing (`west`) is claimed by listing it under an environment in `lakewarden.toml`.

Exceptions:
    A small team may work with two stages on purpose: write `stages = ["development", "production"]`.
    Several targets may belong to one stage, such as a short-lived `test` beside `staging`; they need no stage of their own.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-stacks
"""

from lakewarden.rule import ADVISORY, RECOMMENDED, WARNING, Rule

rule = Rule(
    code="ENV001",
    name="target-for-each-stage",
    subject="project_stages",
    severity=WARNING,
    confidence=ADVISORY,
    profile=RECOMMENDED,
    message="project {project_key} has no target of stage {name}: add one, or leave {name} out of `stages` in the policy",
    query="""
        SELECT s.*, TRUE AS applies, (
                   SELECT any_of(t.belongs) FROM stage_targets t
                   WHERE t.plane = s.plane AND t.project_stage = s.key) AS ok
        FROM project_stages s
    """,
)
