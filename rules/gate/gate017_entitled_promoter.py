"""The identity that promotes is entitled to it by the policy, and holds the right to move the alias.

Why:
    A right that somebody happens to hold is no decision of the organisation. The policy names who promotes, and the
    registry has to agree.

Fix:
    Run the gate as the service principal that the policy names under `identities.promote`, and let it own the model or
    hold MANAGE on it.

Exceptions:
    A registry that keeps no rights: then the policy alone decides.

References:
    https://docs.databricks.com/aws/en/mlflow/deployment-job
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
"""

from lakewarden.rule import CORE, ERROR, HIGH, Rule

rule = Rule(
    code="GATE017",
    name="entitled-promoter",
    subject="candidates",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    message={
        "is_named": "{identity} runs the gate, and the policy does not let it promote: name it under identities.promote",
        "is_able": "{identity} may not move aliases of the model of {key}: let it own the model, or grant it MANAGE",
    },
    query="""
        SELECT c.*, o.identity, o.origin AS related, TRUE AS applies, o.is_named AS is_named, o.is_able AS is_able
        FROM candidates c LEFT JOIN promoters o ON o.plane = c.plane AND o.key = c.key
    """,
)
