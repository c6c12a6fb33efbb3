"""CI authenticates to Databricks with a federated identity.

Why:
    A stored secret works from anywhere, for anyone who has read it, until somebody remembers to change it; a personal
    token also has a person's rights. With workload identity federation CI shows a short-lived token of its own, which
    Databricks accepts only for the repository, branch or environment that was agreed.

Fix:
        permissions:
          id-token: write
        env:
          DATABRICKS_AUTH_TYPE: github-oidc
          DATABRICKS_CLIENT_ID: ${{ vars.PROD_PRINCIPAL }}

    Bind the federation policy of a production principal to a protected environment (`repo:acme/churn:environment:prod`)
    or to the release branch, never to `pull_request`.

Exceptions:
    A Git host without OIDC (Jenkins, Bitbucket Server) has to store a secret: waive the rule, with an expiry of 90 days
    at most, so that the secret is changed when the waiver is renewed.

References:
    https://docs.databricks.com/aws/en/dev-tools/auth/provider-github
    https://docs.databricks.com/aws/en/dev-tools/ci-cd/github
"""

from lakewarden.rule import ERROR, HIGH, RECOMMENDED, WARNING, Message, Rule

rule = Rule(
    code="GIT010",
    name="federated-ci-identity",
    subject="ci_credentials",
    severity=WARNING,
    confidence=HIGH,
    profile=RECOMMENDED,
    message={
        "no_token": Message(
            "{name} is a personal access token: use workload identity federation (DATABRICKS_AUTH_TYPE: github-oidc)", ERROR
        ),
        "no_pull_request": Message(
            "the federation of {name} lets every pull request act in production: bind it to a protected environment", ERROR
        ),
        "no_secret": "{name} is a stored credential ({kind}): use workload identity federation (DATABRICKS_AUTH_TYPE: github-oidc)",
        "narrow": "the federation of {name} is not bound to an environment or the release branch: name one in its subject",
    },
    # `none`: the policy of the federation is kept at Databricks, and a workflow does not say what it accepts.
    query="""
        SELECT c.*, TRUE AS applies,
               c.kind <> 'pat' AS no_token,
               c.stage <> 'production' OR c.federation_subject <> 'pull_request' AS no_pull_request,
               c.kind = 'oidc' AS no_secret,
               c.stage <> 'production' OR c.federation_subject IN ('environment', 'release', 'none') AS narrow
        FROM ci_credentials c
    """,
)
