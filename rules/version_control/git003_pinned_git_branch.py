"""The production target pins its Git branch.

Why:
    The Databricks CLI compares the branch that is checked out with the target only where the target names one; mode
    production alone compares nothing. Without the pin a feature branch is deployed to production as readily as a
    release.

Fix:
        targets:
          prod:
            git:
              branch: release

Exceptions:
    Deployments by Terraform have no bundle target, and so no pin.
    A project that relies on its CI and on branch protection instead (GIT002, GIT009) may lower the rule:
    `[rules.GIT003]` with `severity = "note"`.
    Projects that release from another branch name it in `release_refs`; without that, `release`, `main`, `master` and
    version tags count as released.

References:
    https://docs.databricks.com/aws/en/dev-tools/bundles/deployment-modes
    https://docs.databricks.com/aws/en/dev-tools/bundles/settings
"""

from lakewarden.rule import HIGH, RECOMMENDED, WARNING, Rule

rule = Rule(
    code="GIT003",
    name="pinned-git-branch",
    subject="targets",
    severity=WARNING,
    confidence=HIGH,
    profile=RECOMMENDED,
    fixable=("pinned",),
    message={
        "pinned": "production target {name} can be deployed from any branch: set git.branch to your release branch",
        "to_release": "production target {name} is pinned to {git_branch}, which is no release branch: pin the release branch, or add it to release_refs",
    },
    query="""
        SELECT t.*, t.stage = 'production' AS applies,
               t.git_branch <> 'none' AS pinned,
               t.git_branch = 'none' OR t.git_branch_class = 'release' AS to_release
        FROM targets t
    """,
)
