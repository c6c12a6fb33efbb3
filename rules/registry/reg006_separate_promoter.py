"""The identity that registers versions of a production model cannot promote them.

Why:
    Whoever may both register a version and move the alias can put any model into production alone: no review, validation or
    gate stands between a training job that was changed and the model that customers meet. In Unity Catalog the owner of a
    model, and anyone with MANAGE, may move its aliases; registering needs only CREATE MODEL VERSION. In the workspace registry
    CAN_MANAGE_PRODUCTION_VERSIONS and CAN_MANAGE let somebody move a version into production, and who creates a model holds
    the latter.

Fix:
    Let a group of approvers, or the service principal of the promotion, own the model:
    `ALTER MODEL catalog.schema.model OWNER TO …`. Grant the training identity CREATE MODEL VERSION, and neither ownership nor
    MANAGE, directly or through a group. A bundle cannot name the owner: who deploys it owns its models. Let its training
    job run as another identity (`run_as`), or declare the model in Terraform, with its `owner`.
    In the workspace registry give the training identity CAN_EDIT, and only the promoting one CAN_MANAGE_PRODUCTION_VERSIONS.

Exceptions:
    Where the policy says `promotion = "automated"`, one service principal may train, validate and promote: this is then only
    noted, and it rests on DEP013 that validation can stop the promotion.
    In the workspace registry whoever may promote may also register: there only who did register versions counts. On a server of
    MLflow one permission, EDIT, lets do both: whoever holds it is reported, and the remedy is Unity Catalog, or the policy.
    Admins of the metastore, the workspace or the server are left out.

References:
    https://docs.databricks.com/aws/en/mlflow/deployment-job
    https://docs.databricks.com/aws/en/data-governance/unity-catalog/access-control/privileges-reference
    https://docs.databricks.com/aws/en/machine-learning/manage-model-lifecycle/
"""

from lakewarden.rule import ADVISORY, NOTE, RECOMMENDED, WARNING, Message, Rule

rule = Rule(
    code="REG006",
    name="separate-promoter",
    subject="models",
    severity=WARNING,
    confidence=ADVISORY,
    profile=RECOMMENDED,
    revision=2,
    message={
        "is_separate": "an identity that registers versions of {name} may promote them too: let another own or manage it than trains it",
        "is_automated": Message("one identity registers and promotes {name}, as the policy allows: DEP013 must hold", NOTE),
    },
    query="""
        SELECT m.*, (m.registry = 'unity_catalog' OR m.plane <> 'declared') AND m.stage = 'production' AS applies,
               p.promotion = 'automated' OR (SELECT all_of(NOT (i.registers AND i.promotes)) FROM model_identities i
                WHERE i.plane = m.plane AND i.model = m.key) AS is_separate,
               p.promotion <> 'automated' OR (SELECT all_of(NOT (i.registers AND i.promotes)) FROM model_identities i
                WHERE i.plane = m.plane AND i.model = m.key) AS is_automated
        FROM models m CROSS JOIN policy p
    """,
)
