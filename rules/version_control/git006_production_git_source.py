"""A production job's git_source follows the release branch, a tag or a commit, and bundle jobs do not use git_source.

Why:
    A job with a Git source fetches its code anew for each run. If it follows a branch that is not released, whatever is
    pushed there is production at the next run, without a deployment. In a bundle a Git source also parts the job's
    definition from its code: the two are deployed at different times and may come from different commits.

Fix:
    In a bundle leave `git_source` out and name files relative to the bundle; they are deployed together with the job:

        tasks:
          - task_key: train
            notebook_task:
              notebook_path: ../notebooks/train.py

    Elsewhere follow the release branch, or name a tag: `git_tag: v1.4.0`.

Exceptions:
    Some tasks know no other source, dbt and SQL files among them: a bundle job that holds one may use `git_source`, on a
    release ref.
    A job that Terraform makes may follow the release branch.

References:
    https://docs.databricks.com/aws/en/dev-tools/bundles/job-task-types
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
"""

from lakewarden.rule import HIGH, RECOMMENDED, WARNING, Rule

rule = Rule(
    code="GIT006",
    name="production-git-source",
    subject="jobs",
    severity=WARNING,
    confidence=HIGH,
    profile=RECOMMENDED,
    message={
        "released": "production job {name} follows branch {git_ref}, which is no release branch: follow the release branch, a tag or a commit",
        "deployed_code": "bundle job {name} takes its code from git_source: leave git_source out, so that job and code are deployed together",
    },
    query="""
        SELECT j.*, j.stage = 'production' AND j.kind = 'job' AS applies,
               j.git_ref_kind <> 'branch' OR j.git_ref_class = 'release' AS released,
               j.git_ref_kind = 'none' OR j.managed_by <> 'bundle' OR (
                   SELECT any_of(k.kind IN ('dbt', 'sql')) FROM tasks k
                   WHERE k.plane = j.plane AND k.job = j.key) AS deployed_code
        FROM jobs j
    """,
)
