"""Production workloads run as a service principal.

Why:
    A job that runs as a person has that person's rights: too many while they work here, none after they have left. What
    it wrote cannot be told from what they wrote by hand, and whoever may change the job may act as that person.

Fix:
    Say in the production target which service principal runs it:

        targets:
          prod:
            run_as:
              service_principal_name: 8f4b1c7a-52d1-4f0e-9f0c-6d0d3a1b2c3d

    A job that sets a `run_as` of its own must name a service principal too.

Exceptions:
    Without `run_as` jobs run as whoever deploys. That is accepted where CI is seen to deploy the target as a service
    principal and nothing else deploys it, unless the policy says `require_explicit_run_as = true` (the default of the
    profile `strict`). Where nothing is known of the deployment, the verdict is unknown.
    A job that Terraform makes without `run_as` runs as whoever applies it: unknown, unless the policy requires `run_as`.
    A group counts as a person unless its members are known to be service principals only.
    Jobs that Databricks makes itself are not judged.

References:
    https://docs.databricks.com/aws/en/admin/users-groups/best-practices
    https://docs.databricks.com/aws/en/dev-tools/bundles/run-as
    https://docs.databricks.com/aws/en/data-governance/unity-catalog/best-practices
"""

from lakewarden.rule import CORE, ERROR, HIGH, Query, Rule

rule = Rule(
    code="ENV006",
    name="service-principal-run-as",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    queries=(
        Query(
            subject="targets",
            message={
                "no_person": "production target {name} runs as {run_as_kind} {run_as}: set run_as.service_principal_name",
                "named": "production target {name} runs as whoever deploys it: set run_as.service_principal_name",
            },
            # `OR NULL`: where no deployment was seen, nobody knows who deploys.
            query="""
                SELECT t.*, t.stage = 'production' AS applies,
                       t.run_as_kind = 'service_principal' OR t.run_as_kind = 'deployer'
                           OR (t.run_as_kind = 'group' AND NOT g.has_person) AS no_person,
                       t.run_as_kind <> 'deployer' OR (NOT p.require_explicit_run_as
                           AND (SELECT all_of(d.as_service_principal) FROM target_deployments d
                                WHERE d.plane = t.plane AND d.target = t.key)
                           AND ((SELECT any_of(d.as_service_principal) FROM target_deployments d
                                 WHERE d.plane = t.plane AND d.target = t.key) OR NULL)) AS named
                FROM targets t LEFT JOIN principal_summary g ON g.plane = t.plane AND g.key = 'group:' || t.run_as
                CROSS JOIN policy p
            """,
        ),
        Query(
            subject="jobs",
            message={
                "no_person": "production {kind} {name} runs as {run_as_kind} {run_as}: set run_as.service_principal_name",
                "named": "production {kind} {name} runs as whoever deploys it: set run_as.service_principal_name",
            },
            query="""
                SELECT j.*, j.stage = 'production' AND (j.run_as_from = 'job' OR j.plane = 'deployed'
                           OR (j.managed_by = 'terraform' AND j.kind = 'job')) AND j.managed_by <> 'system' AS applies,
                       j.run_as_kind = 'service_principal' OR j.run_as_kind = 'deployer'
                           OR (j.run_as_kind = 'group' AND NOT g.has_person) AS no_person,
                       j.run_as_kind <> 'deployer' OR (NOT p.require_explicit_run_as AND NULL) AS named
                FROM jobs j LEFT JOIN principal_summary g ON g.plane = j.plane AND g.key = 'group:' || j.run_as
                CROSS JOIN policy p
            """,
        ),
    ),
)
