"""Snapshots that are judged together agree on every fact.

Why:
    Snapshots of one metastore hold the same catalogs, owners and grants. Where two differ, something was changed between them,
    or one of them is not what its workspace said. Whichever was believed, the verdict would be a guess; so what they tell
    differently is not known, and every rule that reads it says unknown.

Fix:
    Collect the workspaces again, one soon after the other, or in one run: `lakewarden collect` takes several `--workspace`.

Exceptions:
    What one snapshot could not see contradicts no other. A snapshot that is too old is not compared.

References:
    https://docs.databricks.com/aws/en/data-governance/unity-catalog/
"""

from lakewarden.rule import CORE, ERROR, HIGH, Rule

rule = Rule(
    code="LW030",
    name="snapshots-agree",
    subject="snapshot_conflicts",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    message="snapshots disagree on {what}: {said}",
    query="""
        SELECT c.*, TRUE AS applies, c.agree AS ok
        FROM snapshot_conflicts c
    """,
)
