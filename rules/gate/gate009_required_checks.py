"""The required checks succeeded on the commit of a promoted version.

Why:
    Tests of another commit say nothing about the code that trained this version. A check that did not run there, was skipped
    or is still running has not been passed.

Fix:
    Name the checks under `gate.required_checks` of the project, let CI run them for pushes to the release branch, and mend
    what fails. Train the version from a commit on which all of them succeeded.

Exceptions:
    A policy that requires no check leaves this unknown, never a pass. Of several runs of one check the newest counts.
    A check that was skipped, or that is neutral, has not succeeded.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/dev-tools/ci-cd/best-practices
"""

from lakewarden.rule import CORE, ERROR, HIGH, Rule

rule = Rule(
    code="GATE009",
    name="required-checks",
    subject="candidates",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    message="{key} was trained from {commit}, on which a required check did not succeed: mend it, and train from a commit that passes",
    query="""
        SELECT c.*, rc.commit, rc.commit_key, rc.origin AS related, TRUE AS applies,
               CASE WHEN b.key IS NULL THEN NULL ELSE ((
                   SELECT any_of(k.required) FROM commit_checks k
                   WHERE k.plane = b.plane AND k.commit_key = b.key) OR NULL) AND (
                   SELECT all_of(NOT k.required OR k.succeeded) FROM commit_checks k
                   WHERE k.plane = b.plane AND k.commit_key = b.key) END AS ok
        FROM candidates c LEFT JOIN model_versions v ON v.plane = c.plane AND v.key = c.version_key
                          LEFT JOIN run_commit rc ON rc.plane = v.plane AND rc.key = v.run
                          LEFT JOIN branch_commits b ON b.plane = rc.plane AND b.key = rc.commit_key
    """,
)
