"""A serving endpoint serves a model of its own stage, in the promoted version.

Why:
    An endpoint names a model and a version number; moving an alias does not change it. So an endpoint can go on serving a
    version that was replaced, or a model of another stage that nobody validated for this one, and the registry looks
    right all the while.

Fix:
    Take the catalog of `entity_name` from the deployment target, for example `${var.catalog}.ml.churn`. After a promotion,
    update the endpoint to the version of the alias in the same deployment job.

Exceptions:
    External and foundation models; several routes (a canary or an A/B test); an endpoint that is being updated; an endpoint
    whose tags say that it serves a challenger. A production model outside production is allowed unless the policy says
    `nonprod_read_of_prod = "deny"`. A version number written in a bundle is a deliberate pin and is not compared.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/machine-learning/manage-model-lifecycle/
"""

from lakewarden.rule import ERROR, MEDIUM, RECOMMENDED, Rule

rule = Rule(
    code="REG010",
    name="own-promoted-model",
    subject="served_entities",
    severity=ERROR,
    confidence=MEDIUM,
    profile=RECOMMENDED,
    message={
        "in_unity_catalog": "{key} serves {entity_name}, a model outside Unity Catalog: serve catalog.schema.model",
        "own_stage": "{key} of stage {stage} serves {entity_name} of stage {named_stage}: serve the model of its own stage",
        "is_promoted": "{key} serves version {entity_version} of {entity_name}, and {champion_version} was promoted: update the endpoint",
    },
    query="""
        SELECT s.*, ch.version AS champion_version, ch.origin AS related,
               NOT s.external AS applies,
               s.catalog <> 'none' OR p.unity_catalog IN ('migrating', 'no') AS in_unity_catalog,
               s.catalog = 'none' OR s.named_stage = s.stage OR s.named_stage = 'none'
                   OR s.named_stage = 'production' AND p.nonprod_read_of_prod = 'allow' AS own_stage,
               s.plane <> 'deployed' OR s.stage <> 'production' OR NOT s.sole_route OR s.updating OR s.challenger
                   OR s.entity_version = ch.version AS is_promoted
        FROM served_entities s CROSS JOIN policy p LEFT JOIN champions ch ON ch.plane = s.plane AND ch.key = s.champion
    """,
)
