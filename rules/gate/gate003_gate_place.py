"""The gate runs where the policy lets it act, on the release branch, from a clean checkout.

Why:
    Whoever may run the gate from a pull request or from a changed checkout decides by code and by a policy that nobody
    has reviewed.

Fix:
    Run it in the job of CI that deploys the release branch, after its checkout with the whole history, or as a deployment
    job; name the places under `gate.places` in the policy.

Exceptions:
    A deployment job follows no branch: its code is that of its own deployment. A terminal is no place to act unless the
    policy names it.

References:
    https://docs.databricks.com/aws/en/dev-tools/ci-cd/best-practices
    https://docs.databricks.com/aws/en/mlflow/deployment-job
"""

from lakewarden.rule import CORE, ERROR, HIGH, Rule

rule = Rule(
    code="GATE003",
    name="gate-place",
    subject="candidates",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    message={
        "is_allowed": "the gate runs in {place}, where the policy does not let it act: run it in CI, or name the place under gate.places",
        "is_no_pull_request": "the gate runs for a pull request: run it for the release branch, after the merge",
        "is_release": "the gate runs on a branch that is not the release branch: run it there",
        "is_clean": "the gate runs in a checkout that was changed or is shallow: check out the release branch with its history",
    },
    query="""
        SELECT c.*, g.place, g.origin AS related, TRUE AS applies, g.is_allowed AS is_allowed, NOT g.pull_request AS is_no_pull_request,
               g.on_release_ref AS is_release, g.clean AS is_clean
        FROM candidates c LEFT JOIN gate_places g ON g.plane = c.plane AND g.key = c.key
    """,
)
