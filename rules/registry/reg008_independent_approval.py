"""Approval of a model version is given by somebody else, for that version.

Why:
    An approval is worth what its giver could have refused. A tag that the pipeline writes about its own model, that the
    author of the version sets, or that came along when the version was copied from another catalog, says nothing: copying a
    version copies all its tags.

Fix:
    Let a person or a group other than the author set the approval tag after validation, as deployment jobs do it, or
    approve in the protected environment of the CI system. Remove code that writes the approval. After copying a version, delete its
    approval tags: `client.delete_model_version_tag(name, version, "Approval_Check")`.

Exceptions:
    An approval in the environment of the CI system, which the gate records, replaces the tag. Where the policy says
    `approval = "none"`, approval tags are not looked at. Versions that are not live, code that no task of the pipeline runs,
    and tests are left out. Who set a tag is read from the audit log, with `--warehouse`; the names of its actions were not compared
    with a live workspace, so that a tag that is not found there is unknown.

References:
    https://docs.databricks.com/aws/en/mlflow/deployment-job
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
"""

from lakewarden.rule import CORE, ERROR, HIGH, MEDIUM, Message, Query, Rule

rule = Rule(
    code="REG008",
    name="independent-approval",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    queries=(
        Query(
            subject="code_calls",
            message="{api} writes the approval of the model that this pipeline made: let somebody else approve, and only read it",
            query="""
                SELECT c.*,
                       c.is_approval AND NOT c.is_test AND p.approval <> 'none' AND (
                           SELECT any_of(r.role IN ('training', 'validation', 'approval', 'deployment', 'inference', 'feature', 'monitor'))
                           FROM file_roles r WHERE r.plane = c.plane AND r.file = c.file) AS applies,
                       FALSE AS ok
                FROM code_calls c CROSS JOIN policy p
            """,
        ),
        Query(
            subject="model_version_tags",
            message={
                "is_independent": Message(
                    "the approval {name} of {version_key} was set by its own author: let another approve it", ERROR, MEDIUM
                ),
                "is_own": Message(
                    "the approval {name} of {version_key} came along with a copy: delete it, approve this version", ERROR, MEDIUM
                ),
            },
            query="""
                SELECT t.*, t.stage = 'production' AND t.is_approval AND v.live AND p.approval <> 'none' AS applies,
                       NOT t.set_by_creator AS is_independent, NOT t.inherited AS is_own
                FROM model_version_tags t CROSS JOIN policy p
                LEFT JOIN model_versions v ON v.plane = t.plane AND v.key = t.version_key
            """,
        ),
    ),
)
