"""The request names a model of the stage that it is to serve, under the policy of the release branch.

Why:
    A gate that is asked about the wrong catalog, or under a policy that the asker has changed on the way, answers another
    question than the one that production asks.

Fix:
    Name the version as `models:/catalog.schema.model/7` in the catalog of the stage, and change the policy by a reviewed
    change on the release branch.

Exceptions:
    In a registry without catalogs the name has no levels, and the stage is that of its server or workspace. Outside a
    checkout of the project's repository nobody can tell whose policy it is: then the evidence is missing.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/dev-tools/ci-cd/best-practices
"""

from lakewarden.rule import CORE, ERROR, HIGH, Rule

rule = Rule(
    code="GATE001",
    name="well-formed-request",
    subject="candidates",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    message={
        "is_full_name": "{key} is no name of three levels: name the model as catalog.schema.model",
        "is_of_stage": "{key} is a model of stage {model_stage}, not of {wanted_stage}: register and promote it in that stage's catalog",
        "is_released": "the policy that {key} is judged by is not the one of the release branch: merge its change first",
    },
    query="""
        SELECT c.*, m.stage AS model_stage, m.origin AS related, TRUE AS applies,
               c.name_levels = 3 AS is_full_name, m.stage = c.wanted_stage AS is_of_stage, c.policy_released AS is_released
        FROM candidates c LEFT JOIN models m ON m.plane = c.plane AND m.key = c.model
    """,
)
