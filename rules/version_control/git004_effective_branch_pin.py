"""The branch pin takes effect where production is deployed.

Why:
    The CLI compares branches only when a branch is checked out. Azure Pipelines and GitLab check out a commit without a
    branch, and so does a checkout of a SHA or a tag: there the pin of GIT003 is passed over in silence. `--force`
    switches it off altogether (`--force-lock` is another flag).

Fix:
    Attach the branch before deploying, and leave `--force` out. On GitLab:

        script:
          - git checkout -B "$CI_COMMIT_BRANCH"
          - databricks bundle deploy -t prod

    On Azure Pipelines: `git checkout -B "${BUILD_SOURCEBRANCH#refs/heads/}"`.

Exceptions:
    Where CI itself lets only the release branch through (GIT002), an idle pin is only noted.
    Targets without a pin are told by GIT003.

References:
    https://docs.databricks.com/aws/en/dev-tools/bundles/deployment-modes
    https://docs.databricks.com/aws/en/dev-tools/ci-cd/flows
"""

from lakewarden.rule import HIGH, NOTE, RECOMMENDED, WARNING, Message, Rule

rule = Rule(
    code="GIT004",
    name="effective-branch-pin",
    subject="ci_deployments",
    severity=WARNING,
    confidence=HIGH,
    profile=RECOMMENDED,
    revision=2,
    fixable=("needed", "attached"),
    message={
        # Stands first, so that an idle pin is only noted where CI is known to let the release branch alone through.
        "needed": Message(
            "the branch pin of {target_name} is idle here; CI lets only release refs through, so the pin is merely missed", NOTE
        ),
        "not_forced": "--force switches off the branch pin of {target_name}: deploy without it",
        "attached": "HEAD is detached, so the branch pin of {target_name} is not checked: run `git checkout -B` with the branch before deploying",
    },
    query="""
        SELECT d.*, d.tool = 'bundle' AND d.stage = 'production' AND d.action = 'deploy' AND t.git_branch_class = 'release' AS applies,
               (NOT d.forced AND j.head_state = 'branch')
                   OR NOT (j.environment_protected OR (d.ci_job = j.key AND (
                       SELECT all_of(r.ref_class = 'release')
                       FROM ci_reach r WHERE r.plane = d.plane AND r.ci_job = d.ci_job))) AS needed,
               NOT d.forced AS not_forced, j.head_state = 'branch' AS attached
        FROM ci_deployments d LEFT JOIN ci_jobs j ON j.plane = d.plane AND j.key = d.ci_job
        LEFT JOIN targets t ON t.plane = d.plane AND t.key = d.target
    """,
)
