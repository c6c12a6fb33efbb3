"""A service principal serves one stage only.

Why:
    Stages differ in who may reach what, and an identity carries its rights wherever it runs. One principal for
    development and production means that whoever can change a development job can act in production, and that a secret
    that leaks from a test environment opens production.

Fix:
    Create one service principal for each stage and name it in the target:

        targets:
          staging:
            run_as:
              service_principal_name: ${var.staging_principal}
          prod:
            run_as:
              service_principal_name: ${var.prod_principal}

Exceptions:
    One identity may deploy to all stages but production, as long as deploying is all it does.
    The same principal with another secret for each stage is still one identity.

References:
    https://docs.databricks.com/aws/en/admin/users-groups/best-practices
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
"""

from lakewarden.rule import HIGH, RECOMMENDED, WARNING, Rule

rule = Rule(
    code="ENV010",
    name="service-principal-per-stage",
    subject="principal_stages",
    severity=WARNING,
    confidence=HIGH,
    profile=RECOMMENDED,
    message="{principal} acts in {acts_in} and in another stage: use one service principal for each stage",
    query="""
        SELECT c.*, TRUE AS applies,
               all_of((c.plane = 'declared' AND o.project <> c.project) OR o.key = c.key OR o.principal <> c.principal OR o.acts_in = c.acts_in
                   OR (o.is_deploy AND c.is_deploy AND o.acts_in <> 'production' AND c.acts_in <> 'production')) AS ok,
               min(o.origin) FILTER (WHERE (c.plane <> 'declared' OR o.project = c.project) AND o.principal = c.principal AND o.acts_in <> c.acts_in) AS related
        FROM principal_stages c JOIN principal_stages o ON o.plane = c.plane
        GROUP BY ALL
    """,
)
