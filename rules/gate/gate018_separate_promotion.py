"""The identity that promotes has neither trained, created nor approved the version.

Why:
    Who trains and promotes alone can put any model before customers. The promoting identity is the last one that can
    refuse.

Fix:
    Run the gate as a service principal of its own, which registers no versions and trains nothing.

Exceptions:
    Where the policy says `promotion = "automated"`, one service principal may train and promote.

References:
    https://docs.databricks.com/aws/en/mlflow/deployment-job
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
"""

from lakewarden.rule import CORE, ERROR, HIGH, Rule

rule = Rule(
    code="GATE018",
    name="separate-promotion",
    subject="candidates",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    message="{identity}, which runs the gate, has made, trained or approved {key} itself: promote as another identity",
    query="""
        SELECT c.*, o.identity, o.origin AS related, p.promotion <> 'automated' AS applies, o.is_other AS ok
        FROM candidates c CROSS JOIN policy p LEFT JOIN promoters o ON o.plane = c.plane AND o.key = c.key
    """,
)
