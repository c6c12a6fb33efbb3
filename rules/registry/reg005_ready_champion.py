"""Each production model that is in use has a champion, and the champion is ready.

Why:
    The alias of the live version is what inference, endpoints and people go by. If it is missing, consumers fail or fall back
    to a version number that nobody promotes. If it points to a version whose registration never finished, they fail as soon
    as they load it.

Fix:
    Promote a validated version: `client.set_registered_model_alias(name, "champion", version)`. If the alias points to a
    version in PENDING_REGISTRATION or FAILED_REGISTRATION, move it back to the last version that was READY.

Exceptions:
    A model that nothing uses yet, and that was never promoted, needs no champion.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/machine-learning/manage-model-lifecycle/
"""

from lakewarden.rule import ADVISORY, RECOMMENDED, WARNING, Rule

rule = Rule(
    code="REG005",
    name="ready-champion",
    subject="models",
    severity=WARNING,
    confidence=ADVISORY,
    profile=RECOMMENDED,
    message={
        "has_champion": "model {name} is in use and no version has the alias {champion_alias}: promote a validated version",
        "is_ready": "the alias {champion_alias} of {name} points to a version that is not READY: move it to one that is",
    },
    query="""
        SELECT m.*, p.champion_alias,
               m.plane = 'deployed' AND m.registry = 'unity_catalog' AND m.stage = 'production' AND (
                   m.consumed OR (SELECT any_of(a.is_champion) FROM model_aliases a WHERE a.plane = m.plane AND a.model = m.key)
                   OR (SELECT any_of(v.live) FROM model_versions v WHERE v.plane = m.plane AND v.model = m.key)) AS applies,
               (SELECT any_of(a.is_champion) FROM model_aliases a WHERE a.plane = m.plane AND a.model = m.key) AS has_champion,
               (SELECT all_of(NOT a.is_champion OR v.status = 'READY')
                FROM model_aliases a LEFT JOIN model_versions v ON v.plane = a.plane AND v.key = a.version_key
                WHERE a.plane = m.plane AND a.model = m.key) AS is_ready
        FROM models m CROSS JOIN policy p
    """,
)
