"""The identity that registers versions of a production model cannot promote them.

Why:
    Whoever may both register a version and move the alias can put any model into production alone: no review, validation or
    gate stands between a training job that was changed and the model that customers meet. In Unity Catalog the owner of a
    model, and anyone with MANAGE, may move its aliases; registering needs only CREATE MODEL VERSION.

Fix:
    Let a group of approvers, or the service principal of the promotion, own the model:
    `ALTER MODEL catalog.schema.model OWNER TO …`. Grant the training identity CREATE MODEL VERSION, and neither ownership nor
    MANAGE, directly or through a group. A bundle cannot name the owner: who deploys it owns its models. Let its training
    job run as another identity (`run_as`), or declare the model in Terraform, with its `owner`.

Exceptions:
    Where the policy says `promotion = "automated"`, one service principal may train, validate and promote: this is then only
    noted, and it rests on DEP013 that validation can stop the promotion.

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
    message={
        "is_separate": "an identity that registers versions of {name} may promote them too: let another own it than trains it",
        "is_automated": Message("one identity registers and promotes {name}, as the policy allows: DEP013 must hold", NOTE),
    },
    query="""
        SELECT m.*, m.registry = 'unity_catalog' AND m.stage = 'production' AS applies,
               p.promotion = 'automated' OR (SELECT all_of(NOT (i.registers AND i.promotes)) FROM model_identities i
                WHERE i.plane = m.plane AND i.model = m.key) AS is_separate,
               p.promotion <> 'automated' OR (SELECT all_of(NOT (i.registers AND i.promotes)) FROM model_identities i
                WHERE i.plane = m.plane AND i.model = m.key) AS is_automated
        FROM models m CROSS JOIN policy p
    """,
)
