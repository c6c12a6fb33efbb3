"""Production is deployed by CI, not by a person.

Why:
    A deployment from somebody's machine carries whatever lies in that folder, committed or not, and leaves objects that
    belong to that person. Nothing in the deployment itself says whether the files were clean. A pipeline that starts
    from a fresh checkout, as a service principal, is the only thing that does.

Fix:
    Let a workflow on the release branch run `databricks bundle deploy -t prod` as a service principal, and give jobs and
    pipelines that a person created to it by deploying them again.

Exceptions:
    Deployments from before the policy was adopted (the first bootstrap), and those of the identity that the policy names under
    `identities.break_glass`. That a bundle's own CI never deploys production is only advice: it may be deployed from elsewhere.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/dev-tools/ci-cd/flows
    https://docs.databricks.com/aws/en/admin/users-groups/best-practices
"""

from lakewarden.rule import ADVISORY, ERROR, HIGH, RECOMMENDED, WARNING, Message, Query, Rule

rule = Rule(
    code="DEP012",
    name="deployed-by-ci",
    severity=ERROR,
    confidence=HIGH,
    profile=RECOMMENDED,
    queries=(
        Query(
            subject="deployments",
            message="{created_by} made the production deployment {key}: deploy from CI, as a service principal",
            query="""
                SELECT d.*, d.stage = 'production' AND NOT d.before_policy AS applies,
                       d.created_by_kind = 'service_principal' OR s.is_break_glass AS ok
                FROM deployments d LEFT JOIN principal_summary s ON s.plane = d.plane AND s.key = d.created_by
            """,
        ),
        Query(
            subject="jobs",
            message="production {kind} {name} ({key}) was created by a {creator_kind}: deploy it from CI, as a service principal",
            query="""
                SELECT j.*, j.plane = 'deployed' AND j.stage = 'production' AND j.managed_by <> 'system' AS applies,
                       j.creator_kind = 'service_principal' AS ok
                FROM jobs j
            """,
        ),
        Query(
            subject="targets",
            message=Message("no workflow deploys {key} as a service principal: let CI deploy it", WARNING, ADVISORY),
            query="""
                SELECT t.*, t.plane = 'declared' AND t.stage = 'production' AS applies,
                       (SELECT any_of(d.as_service_principal) FROM target_deployments d
                        WHERE d.plane = t.plane AND d.target = t.key) AS ok
                FROM targets t
            """,
        ),
    ),
)
