"""Every target, workspace and catalog belongs to one environment of the policy.

Why:
    Rules about production apply to what the policy claims for production. A target that no environment claims, because of a
    new name or a typo, would be judged by none of them, and the report would be green for the wrong reason. One that two
    environments claim is no better.

Fix:
    Add the target, the URL of the workspace or the catalog to the environment it belongs to in `lakewarden.toml`, under
    `targets`, `workspaces` or `catalogs`.

Exceptions:
    Without a policy file, names that say nothing about a stage are told as gaps and not reported here.

References:
    https://docs.databricks.com/aws/en/dev-tools/bundles/deployment-modes
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
"""

from lakewarden.rule import CORE, ERROR, HIGH, Rule

rule = Rule(
    code="LW020",
    name="unclaimed-place",
    subject="gap_records",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    message="{reason}: rules about stages cannot judge {scope} until the policy says where it belongs",
    query="""
        SELECT g.*, g.cause = 'unclaimed' AS applies, FALSE AS ok
        FROM gap_records g
    """,
)
