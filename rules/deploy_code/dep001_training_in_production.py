"""The training pipeline is deployed to production.

Why:
    When code is promoted and not models, production trains its own model: with reviewed code, on production data, under the
    production identity. A project whose production target has no training task gets its model from somewhere else, as a
    file or a copy that nobody can trace to the release.

Fix:
    Declare the training job at the top level of the bundle under `resources.jobs`, so that every target deploys it, and keep
    only what differs (catalog, schedule, size of the cluster) under the targets.

Exceptions:
    With `deployment_pattern = "deploy-models"` in the policy, for training that is too expensive to repeat, models are
    promoted on purpose. A repository that trains nowhere, because training lives in another repository, is left out.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/deployment-patterns
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
"""

from lakewarden.rule import ADVISORY, RECOMMENDED, WARNING, Rule

rule = Rule(
    code="DEP001",
    name="training-in-production",
    subject="projects",
    severity=WARNING,
    confidence=ADVISORY,
    profile=RECOMMENDED,
    message="{key} trains outside production and not in it: declare the training job for every target",
    query="""
        SELECT x.*, x.plane = 'declared' AND x.has_production AND p.deployment_pattern <> 'deploy-models' AND (
                   SELECT any_of(t.role = 'training') FROM tasks t WHERE t.plane = x.plane AND t.project_key = x.key) AS applies,
               (SELECT any_of(t.role = 'training' AND t.stage = 'production') FROM tasks t
                WHERE t.plane = x.plane AND t.project_key = x.key) AS ok
        FROM projects x CROSS JOIN policy p
    """,
)
