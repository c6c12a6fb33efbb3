"""A production version's training commit is on the release branch.

Why:
    Review, tests and integration are promises about the code on the release branch. They say something about a model only
    if that code trained it. A version trained from a feature branch, or from files that were edited after the commit, went past
    all of them, however good its metrics are.

Fix:
    Merge the change, let CI deploy the release branch, run the production training job, and promote the version that it
    registers. To make the commit known, switch on `experimental.record_deployment_history` in the bundle.

Exceptions:
    Foundation models (catalog `system`) have no training commit. For a single version that has to stay, write a waiver with
    a reason and an end.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/dev-tools/ci-cd/best-practices
    https://docs.databricks.com/aws/en/machine-learning/mlops/deployment-patterns
"""

from lakewarden.rule import CORE, ERROR, HIGH, Rule

rule = Rule(
    code="DEP004",
    name="commit-on-release-branch",
    subject="model_versions",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    message={
        "is_released": "live version {key} was trained from {commit}, which is not on the release branch: train it from there",
        "is_agreed": "the evidence for the training commit of live version {key} disagrees ({rung} says {commit}): train it again",
        "is_clean": "live version {key} was trained from {commit} with changes that were not committed: train it from the release branch",
    },
    query="""
        SELECT v.*, rc.commit, rc.rung, rc.origin AS related,
               v.stage = 'production' AND v.live AND v.catalog <> 'system' AS applies,
               b.is_ancestor AS is_released, rc.agreed AS is_agreed, NOT rc.dirty AS is_clean
        FROM model_versions v LEFT JOIN run_commit rc ON rc.plane = v.plane AND rc.key = v.run
                              LEFT JOIN branch_commits b ON b.plane = rc.plane AND b.key = rc.commit_key
    """,
)
