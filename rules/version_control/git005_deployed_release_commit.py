"""What is deployed in production comes from the release branch.

Why:
    Branch pins and CI conditions are promises about the next deployment. The commit that is recorded with the present
    one shows whether they were kept: if it is not an ancestor of the release branch, production runs code that was
    never released, whoever deployed it and however.

Fix:
    Deploy production again from the release branch. After a squash merge the commit of the feature branch is rightly
    refused, because it never became part of the release branch.

Exceptions:
    A hot-fix tag that the policy lists in `release_refs` counts as released.
    Deployments that have been replaced are not judged.
    In a shallow clone, or for a commit of another repository, ancestry cannot be told: the verdict is unknown.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/dev-tools/ci-cd/best-practices
"""

from lakewarden.rule import CORE, ERROR, HIGH, Rule

rule = Rule(
    code="GIT005",
    name="deployed-release-commit",
    subject="deployments",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    message={
        "recorded": "the deployment in {workspace} records no commit: deploy from a Git checkout",
        "own_repository": "the deployment in {workspace} comes from another repository than the project's: deploy it from the project's",
        "released": "commit {commit}, deployed in {workspace}, is not on the release branch: deploy again from the release branch",
    },
    query="""
        SELECT d.*, d.stage = 'production' AND d.in_force AS applies,
               d.commit <> 'none' AS recorded, d.origin_matches AS own_repository, b.is_ancestor AS released
        FROM deployments d LEFT JOIN branch_commits b ON b.plane = d.plane AND b.key = d.commit_key
    """,
)
