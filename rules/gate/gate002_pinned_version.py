"""The version is ready, and its bytes are known by their digest.

Why:
    A decision about a version that is still being registered, or whose files nobody has read, is a decision about a name.
    The digest says which bytes were meant, whatever happens to the name later.

Fix:
    Wait until the version is READY, and grant the gate EXECUTE on the model, so that it can read the files.

Exceptions:
    None: a version that cannot be named cannot be promoted. There is no waiver for this.

References:
    https://docs.databricks.com/aws/en/machine-learning/manage-model-lifecycle/
    https://github.com/sigstore/model-transparency
"""

from lakewarden.rule import CORE, ERROR, HIGH, Rule

rule = Rule(
    code="GATE002",
    name="pinned-version",
    subject="candidates",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    message={
        "is_ready": "version {key} is {status}, not READY: wait for its registration, or register it again",
        "is_pinned": "version {key} has no files that a digest could be taken of: log the model again",
    },
    query="""
        SELECT c.*, v.status, v.origin AS related, TRUE AS applies, v.status = 'READY' AS is_ready, a.digest <> 'none' AS is_pinned
        FROM candidates c LEFT JOIN model_versions v ON v.plane = c.plane AND v.key = c.version_key
                          LEFT JOIN artifacts a ON a.plane = c.plane AND a.key = c.key
    """,
)
