"""What is deployed in production matches what is declared.

Why:
    A change that was made in the workspace is lost at the next deployment, and until then production does something that
    no review has seen. A job that is declared and not deployed, or deployed and no longer declared, shows that the
    repository does not describe production.

Fix:
    Deploy again from the release branch; `databricks bundle plan -t prod` shows the same differences first. What was
    changed by hand and should stay is taken over with `databricks bundle generate job --existing-job-id 123`.

Exceptions:
    Values that the platform fills in, and effects of presets, are applied before comparing. Secrets are never compared.
    A job whose bundle names no `run_as` runs as whoever deployed it; that is compared with nothing.
    Bundle jobs of projects that are not in this repository are not judged, nor are jobs that no bundle deployed (GIT001).

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-stacks
    https://docs.databricks.com/aws/en/dev-tools/cli/bundle-commands
"""

from lakewarden.rule import MEDIUM, RECOMMENDED, WARNING, Rule

rule = Rule(
    code="GIT012",
    name="no-drift",
    subject="jobs",
    severity=WARNING,
    confidence=MEDIUM,
    profile=RECOMMENDED,
    needs_both=True,
    message={
        "in_both": "production {kind} {key} is {plane} only: deploy the bundle again, or take the job over with `databricks bundle generate`",
        "same_code": "production {kind} {key} runs other code than the repository declares: deploy the bundle again",
        "same_run_as": "production {kind} {key} runs as {run_as}, the repository declares {other_run_as}: deploy the bundle again",
        "same_git_ref": "production {kind} {key} follows {git_ref}, the repository declares {other_git_ref}: deploy the bundle again",
        "same_schedule": "the schedule of production {kind} {key} is {pause_status}, the repository declares {other_pause_status}: deploy the bundle again",
    },
    # `j.project <> j.project` is never true, and not known where the project is not.
    query="""
        SELECT j.*, j.stage = 'production' AND (j.plane = 'declared' OR (j.managed_by = 'bundle' AND (
                   j.project <> j.project OR CASE WHEN p.key IS NULL THEN FALSE WHEN p.gap IS NULL THEN TRUE END))) AS applies,
               CASE WHEN o.key IS NULL THEN FALSE WHEN o.gap IS NULL THEN TRUE END AS in_both,
               j.plane = 'declared' OR j.code = o.code AS same_code,
               j.plane = 'declared' OR o.run_as_kind = 'deployer' OR j.run_as = o.run_as AS same_run_as,
               j.plane = 'declared' OR j.git_ref = o.git_ref AS same_git_ref,
               j.plane = 'declared' OR j.pause_status = o.pause_status AS same_schedule,
               o.run_as AS other_run_as, o.git_ref AS other_git_ref, o.pause_status AS other_pause_status, o.origin AS related
        FROM jobs j
        LEFT JOIN jobs o ON o.key = j.key AND o.plane = CASE j.plane WHEN 'declared' THEN 'deployed' ELSE 'declared' END
        LEFT JOIN projects p ON p.plane = 'declared' AND p.key = j.project
    """,
)
