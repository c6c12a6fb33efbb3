"""A stage's configuration and code name only that stage's objects.

Why:
    Code is promoted, names are not. A catalog, host or endpoint that is written out is the same in every stage: staging
    then tests against development data, or production writes to the development catalog and nobody reads what it
    wrote. Such a name is easily missed in review, because it is right in the stage where it was written.

Fix:
    Name the object through a variable that every target sets:

        resources:
          quality_monitors:
            predictions:
              table_name: ${var.catalog}.churn.predictions

    In code take the catalog from a parameter of the job, not from a literal.

Exceptions:
    Development and staging may name production data that they only read, unless the policy says
    `nonprod_read_of_prod = "deny"`; a secret opens more than data, and a library is code, which is promoted.
    Tests and fixtures may name what they like.
    The default of a widget or of a parameter is only noted: the job's parameter replaces it.
    Code may hold the names of all stages apart, as in `{"dev": "churn_dev", "prod": "churn_prod"}`, and a script may create the
    catalogs of all stages.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/dev-tools/bundles/variables
"""

from lakewarden.rule import CORE, ERROR, MEDIUM, NOTE, WARNING, Message, Query, Rule

rule = Rule(
    code="ENV009",
    name="own-stage-references",
    severity=ERROR,
    confidence=MEDIUM,
    profile=CORE,
    revision=2,
    queries=(
        Query(
            subject="config_refs",
            message={
                "varies": "{value} of stage {named_stage} is written for every target, and so for {stage}: use a variable that each target sets",
                "own": "a target of stage {stage} names {value} of stage {named_stage}: name the {kind} of its own stage",
            },
            query="""
                SELECT r.*, r.named <> 'none' AS applies,
                       r.named_stage = r.stage OR r.named_stage = 'none' OR NOT r.hard_coded OR (
                           r.named_stage = 'production' AND NOT r.is_write AND p.nonprod_read_of_prod = 'allow'
                           AND r.kind NOT IN ('secret', 'library')) AS varies,
                       r.named_stage = r.stage OR r.named_stage = 'none' OR (
                           r.named_stage = 'production' AND NOT r.is_write AND p.nonprod_read_of_prod = 'allow'
                           AND r.kind NOT IN ('secret', 'library')) AS own
                FROM config_refs r CROSS JOIN policy p
            """,
        ),
        Query(
            subject="code_literals",
            message={
                "no_literal": Message(
                    "code that is deployed to several stages names {value} of {named_stage}: take it from a parameter", WARNING
                ),
                "no_default": Message(
                    "a default names {value} of {named_stage}: leave the default empty, so that a forgotten parameter fails", NOTE
                ),
            },
            query="""
                SELECT l.*, all_of(l.named <> 'none' AND NOT l.is_test AND j.several_stages AND (
                           l.kind <> 'model_uri' OR o.named <> l.named OR o.kind NOT IN ('catalog', 'table'))) AS applies,
                       l.named_stage = 'none' OR l.is_default OR (
                           l.named_stage = 'production' AND NOT l.is_write AND p.nonprod_read_of_prod = 'allow') AS no_literal,
                       l.named_stage = 'none' OR NOT l.is_default OR (
                           l.named_stage = 'production' AND NOT l.is_write AND p.nonprod_read_of_prod = 'allow') AS no_default
                FROM code_literals l JOIN code_literals o ON o.plane = l.plane AND o.file = l.file AND (
                    o.key = l.key OR l.kind = 'model_uri')
                LEFT JOIN projects j ON j.plane = l.plane AND j.key = l.project_key CROSS JOIN policy p
                GROUP BY ALL
            """,
        ),
    ),
)
