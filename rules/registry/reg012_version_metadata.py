"""Versions in production carry a description and the tags that the policy requires.

Why:
    Somebody who has to explain, repair or roll back a live model needs to know what it is for, who owns it and whether it
    was validated. The registry is the one place where this can stand next to the version itself.

Fix:
    Write description and tags in the validation task, after its checks: `client.update_model_version(name, version,
    description=…)` and `client.set_model_version_tag(name, version, "model_validation_status", "PASSED")`.

Exceptions:
    Which tags are needed is for the policy to say (`required_tags`); without any, only the description is looked at. Versions
    that are not live are left out.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/machine-learning/manage-model-lifecycle/
"""

from lakewarden.rule import ADVISORY, RECOMMENDED, WARNING, Rule

rule = Rule(
    code="REG012",
    name="version-metadata",
    subject="model_versions",
    severity=WARNING,
    confidence=ADVISORY,
    profile=RECOMMENDED,
    message={
        "is_described": "live version {key} has no description: write what it is for in the validation task",
        "is_tagged": "live version {key} lacks a tag that the policy requires: set it in the validation task",
    },
    query="""
        SELECT v.*, v.stage = 'production' AND v.live AND v.catalog <> 'system' AS applies,
               v.has_description AS is_described,
               (SELECT all_of(t.present) FROM required_tags t WHERE t.plane = v.plane AND t.version_key = v.key) AS is_tagged
        FROM model_versions v
    """,
)
