"""A version that is rolled back to was promoted through the gate, or adopted, before.

Why:
    A rollback skips most checks because they were made when the version was promoted. That holds only for the bytes that
    were attested then.

Fix:
    Roll back to a version with an attestation of the gate that passed, or let `lakewarden gate --adopt` record the
    versions that are live today.

Exceptions:
    None. A version that was never attested is promoted by a whole gate.

References:
    https://slsa.dev/spec/v1.2/verification_summary
    https://docs.databricks.com/aws/en/machine-learning/manage-model-lifecycle/
"""

from lakewarden.rule import CORE, ERROR, HIGH, Rule

rule = Rule(
    code="GATE021",
    name="attested-before",
    subject="candidates",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    message="version {key} has no valid attestation of a gate that passed: promote it by a whole gate",
    query="""
        SELECT c.*, TRUE AS applies,
               CASE WHEN v.key IS NULL THEN NULL ELSE (
                   SELECT any_of(a.valid AND a.result = 'PASSED') FROM attestations a
                   WHERE a.plane = v.plane AND a.version_key = v.key) END AS ok
        FROM candidates c LEFT JOIN model_versions v ON v.plane = c.plane AND v.key = c.version_key
    """,
)
