"""The change behind a promoted version was reviewed by another person.

Why:
    What one person alone wrote, merged and trained goes live on that person's word. A second pair of eyes on the change is the
    promise that the release branch makes, and it is kept only where the pull request itself was approved: as it was when it
    was merged, by somebody who wrote none of it.

Fix:
    Bring the change to the release branch by a pull request, have somebody who wrote none of it approve its last commit, let
    CI deploy the merged commit, and train the version from there. A push after the approval asks for a new one.

Exceptions:
    For squash and rebase merges the pull request of the merged commit counts. An approval that was dismissed, that came after
    the merge, of an older commit, of a bot or of somebody who may not write to the repository counts for nothing. A commit
    without a pull request, and a Git host that does not answer, are missing evidence, never a pass.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/dev-tools/ci-cd/best-practices
    https://slsa.dev/spec/v1.2/source-requirements
"""

from lakewarden.rule import CORE, ERROR, HIGH, Rule

rule = Rule(
    code="GATE008",
    name="reviewed-change",
    subject="candidates",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    message="{key} was trained from {commit}, which no pull request into a release branch brought with another's approval: have it reviewed",
    query="""
        SELECT c.*, rc.commit, rc.commit_key, rc.origin AS related, TRUE AS applies,
               CASE WHEN b.key IS NULL THEN NULL ELSE (
                   SELECT any_of(r.into_release AND r.approved_by_other) FROM commit_reviews r
                   WHERE r.plane = b.plane AND r.commit_key = b.key) END AS ok
        FROM candidates c LEFT JOIN model_versions v ON v.plane = c.plane AND v.key = c.version_key
                          LEFT JOIN run_commit rc ON rc.plane = v.plane AND rc.key = v.run
                          LEFT JOIN branch_commits b ON b.plane = rc.plane AND b.key = rc.commit_key
    """,
)
