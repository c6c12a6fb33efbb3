"""The live champion carries a valid promotion attestation.

Why:
    A gate that was passed leaves no trace in the registry: later nobody can tell a version that was checked from one that was
    promoted by hand. A signed statement about exactly this version, with the policy that it was judged under, lets
    an auditor check the decision again.

Fix:
    Promote through `lakewarden gate`, with signing switched on, and store the statement where the version's tag points to.

Exceptions:
    Versions that went live before the policy was adopted: record them once with `lakewarden gate --adopt`. Foundation models
    (catalog `system`) are not promoted.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/mlflow/deployment-job
"""

from lakewarden.rule import ADVISORY, NOTE, RECOMMENDED, Rule

rule = Rule(
    code="DEP015",
    name="attested-champion",
    subject="model_versions",
    severity=NOTE,
    confidence=ADVISORY,
    profile=RECOMMENDED,
    message="live version {key} has no valid attestation of a passed gate: promote it through the gate",
    query="""
        SELECT v.*, v.stage = 'production' AND v.live AND NOT v.before_policy AND v.catalog <> 'system' AS applies,
               (SELECT any_of(a.valid AND a.result = 'PASSED') FROM attestations a
                WHERE a.plane = v.plane AND a.version_key = v.key) AS ok
        FROM model_versions v
    """,
)
