"""A version that went live by breaking the glass has passed a whole gate since.

Why:
    `lakewarden gate --break-glass` puts a version before customers against its checks, because something burns. What was left
    out that night has to be made up for: until then production runs on somebody's word and a ticket.

Fix:
    Mend what the checks found, and promote the version, or the one that follows it, through a whole `lakewarden gate`.

Exceptions:
    None: a rollback and an adoption ask less than a gate, and regularise nothing.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://slsa.dev/spec/v1.2/verification_summary
"""

from lakewarden.rule import ERROR, HIGH, RECOMMENDED, Rule

rule = Rule(
    code="GATE023",
    name="regularised-emergency",
    subject="model_versions",
    severity=ERROR,
    confidence=HIGH,
    profile=RECOMMENDED,
    message="live version {key} went live by breaking the glass, and no whole gate has passed since: promote it through the gate",
    query="""
        SELECT v.*, v.stage = 'production' AND v.live AND v.catalog <> 'system' AS applies,
               (SELECT all_of(a.kind <> 'break-glass' OR a.settled) FROM attestations a
                WHERE a.plane = v.plane AND a.version_key = v.key) AS ok
        FROM model_versions v
    """,
)
