"""People cannot run their own compute in the production workspace.

Why:
    Compute that a person starts in production runs code that was neither reviewed nor deployed, next to production data
    and often with rights that were meant for looking, not for changing. What it did is in no repository.

Fix:
    Take the entitlement `allow-cluster-create`, and CAN_USE on cluster policies, from people and from groups that hold
    people. Let deployed jobs start their own job compute.

Exceptions:
    The engineers who own production may need compute there: name their group in the policy, with the role `deploy`
    under `[identities]`.
    The emergency identity has the role `break_glass`.
    SQL warehouses for dashboards are no compute of one's own.
    Where nobody says who is in a group, a name that speaks of people (`data-scientists`) is enough.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/security/auth/entitlements
"""

from lakewarden.rule import ADVISORY, NOTE, RECOMMENDED, Rule

rule = Rule(
    code="ENV011",
    name="no-personal-production-compute",
    subject="entitlements",
    severity=NOTE,
    confidence=ADVISORY,
    profile=RECOMMENDED,
    revision=2,
    message="{principal} may start compute in production ({entitlement}): take it away, or give the principal the role `deploy` in the policy",
    query="""
        SELECT e.*, e.stage = 'production' AND e.starts_compute AS applies,
               NOT (s.has_person OR s.for_people) OR s.is_deploy OR s.is_break_glass AS ok
        FROM entitlements e LEFT JOIN principal_summary s ON s.plane = e.plane AND s.key = e.principal
    """,
)
