"""Production credentials are out of reach of pull-request code.

Why:
    A pull request runs code that nobody has reviewed yet. `databricks bundle validate` alone executes Python from the
    branch. If that job holds production credentials, opening a pull request is enough to act in production, and so is
    pushing a branch where the job runs for every push;
    with `pull_request_target` and a checkout of the head it works from a fork.

Fix:
    Give the credential only to the job that deploys:

        jobs:
          deploy:
            if: github.ref == 'refs/heads/release'
            environment: prod
            env:
              DATABRICKS_CLIENT_ID: ${{ vars.PROD_PRINCIPAL }}

    Let pull requests validate against development or staging, and validate production after the merge.

Exceptions:
    A principal of production that may only read and validate, named as such in the policy.
    A job in a protected environment, which waits for a reviewer before it starts.

References:
    https://docs.databricks.com/aws/en/dev-tools/ci-cd/github
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-stacks
"""

from lakewarden.rule import CORE, ERROR, HIGH, MEDIUM, Message, Rule

rule = Rule(
    code="GIT011",
    name="production-credentials-out-of-reach",
    subject="ci_credentials",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    revision=2,
    message={
        "no_fork": "any fork can read {name}: the job runs on pull_request_target and checks out the pull request; take the credential away",
        "no_pull_request": "code of a pull request can read {name}, a production credential: give it only to the job that deploys",
        # MEDIUM: it takes the right to push a branch, and a CI system may keep the secret from branches that are not protected.
        "no_branch": Message(
            "a push to any branch can read {name}, a production credential: give it only to the job that deploys",
            confidence=MEDIUM,
        ),
    },
    # `c.ci_job = j.key`: of a job that was not seen nobody knows when it runs.
    query="""
        SELECT c.*, c.stage = 'production' AND c.ci_job <> 'none' AS applies,
               j.environment_protected OR c.validates_only OR NOT j.checks_out_pr_head OR (c.ci_job = j.key AND (
                   SELECT all_of(r.event <> 'pull_request_target')
                   FROM ci_reach r WHERE r.plane = c.plane AND r.ci_job = c.ci_job)) AS no_fork,
               j.environment_protected OR c.validates_only OR (c.ci_job = j.key AND (
                   SELECT all_of(r.event NOT IN ('pull_request', 'pull_request_target', 'merge_request'))
                   FROM ci_reach r WHERE r.plane = c.plane AND r.ci_job = c.ci_job)) AS no_pull_request,
               j.environment_protected OR c.validates_only OR (c.ci_job = j.key AND (
                   SELECT all_of(r.event <> 'push' OR r.ref_class <> 'any')
                   FROM ci_reach r WHERE r.plane = c.plane AND r.ci_job = c.ci_job)) AS no_branch
        FROM ci_credentials c LEFT JOIN ci_jobs j ON j.plane = c.plane AND j.key = c.ci_job
    """,
)
