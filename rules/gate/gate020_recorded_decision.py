"""The decision is recorded before the alias moves, and the alias moved to this version.

Why:
    An alias says which version is live, and nothing of why. Without a statement that was stored first, nobody can tell
    later a checked promotion from a hand that moved it.

Fix:
    Let the gate write its attestation where it can be kept, and read the alias back.

Exceptions:
    None.

References:
    https://slsa.dev/spec/v1.2/verification_summary
    https://docs.databricks.com/aws/en/machine-learning/manage-model-lifecycle/
"""

from lakewarden.rule import CORE, ERROR, HIGH, Rule

rule = Rule(
    code="GATE020",
    name="recorded-decision",
    subject="candidates",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    message="the decision about {key} is not recorded, or its alias points elsewhere: mend the store of attestations and run the gate again",
    query="""
        SELECT c.*, d.origin AS related, TRUE AS applies, d.recorded AS ok
        FROM candidates c LEFT JOIN decisions d ON d.plane = c.plane AND d.key = c.key
    """,
)
