"""Version, champion, release branch and policy are at the end what they were at the beginning.

Why:
    Between the first question and the last the version can be registered anew, another one promoted, or the release
    branch moved: then the answer is about something that is no more.

Fix:
    Run the gate again, and let one gate at a time run for a model.

Exceptions:
    None.

References:
    https://docs.databricks.com/aws/en/machine-learning/manage-model-lifecycle/
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
"""

from lakewarden.rule import CORE, ERROR, HIGH, Rule

rule = Rule(
    code="GATE019",
    name="unchanged-meanwhile",
    subject="candidates",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    message="something about {key} changed while it was checked: run the gate again",
    query="""
        SELECT c.*, r.origin AS related, TRUE AS applies, r.unchanged AS ok
        FROM candidates c LEFT JOIN rereads r ON r.plane = c.plane AND r.key = c.key
    """,
)
