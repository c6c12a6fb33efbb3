"""The release branch is protected.

Why:
    Everything that is said about released code rests on this branch: a commit counts as reviewed because it is there.
    Where it can be pushed to directly, or its history rewritten, that proves nothing.

Fix:
    Set a rule for the release branch on the Git host: changes by pull request with at least one approval, at least one
    check that has to succeed, no force push, no deletion.

Exceptions:
    Without access to the Git host the verdict is unknown, never a pass. Give the audit a token that may read branch rules.
    On GitLab, whoever may push to the protected branch goes around approvals and pipelines: these count where nobody may.
    On GitHub, a ruleset that others than admins may bypass is not known to hold, and who may is shown to those alone who may edit
    it; classic protection tells it to every token with Administration (read). On Azure DevOps, policies hold where nobody has a
    permission to bypass them; only a token with Security (manage) is shown that.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/dev-tools/ci-cd/best-practices
"""

from lakewarden.rule import CORE, ERROR, HIGH, Rule

rule = Rule(
    code="GIT009",
    name="protected-release-branch",
    subject="branches",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    message={
        "reviewed": "a change reaches {name} without approval: require a pull request with at least one approval",
        "checked": "a change reaches {name} without a check: require the check of your CI",
        "kept": "the history of {name} can be rewritten: forbid force pushes",
        "lasting": "{name} can be deleted: forbid its deletion",
    },
    query="""
        SELECT b.*, b.ref_class = 'release' AS applies,
               b.required_approvals >= 1 AS reviewed, b.required_checks >= 1 AS checked,
               NOT b.allows_force_push AS kept, NOT b.allows_deletion AS lasting
        FROM branches b
    """,
)
