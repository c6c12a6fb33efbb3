"""Stages do not share a workspace.

Why:
    A workspace holds compute, jobs, secrets, libraries and the people who may use them. In a shared workspace a
    development run competes with production for the same quota, an administrator of one stage administers the other,
    and a notebook that is opened by mistake is opened next to production.

Fix:
    Set another `workspace.host` in each target:

        targets:
          dev:
            workspace:
              host: https://churn-dev.cloud.databricks.com
          prod:
            workspace:
              host: https://churn-prod.cloud.databricks.com

Exceptions:
    Teams with one workspace keep stages apart by catalog or schema. Unless the policy says `isolation = "workspace"`
    under `[parameters]`, a shared workspace is therefore only noted.
    A host that is still a placeholder (`https://company.databricks.com`) or that comes from a profile or from the
    environment is not known; nothing is said about it but that.
    A root module of Terraform whose provider has no host is told its workspace by the environment, and not judged.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/dev-tools/ci-cd/flows
"""

from lakewarden.rule import ADVISORY, NOTE, RECOMMENDED, WARNING, Message, Query, Rule

_TEXT = "target {name} shares workspace {host} with a target of another stage: set another workspace.host for each stage"

_ROOT = (
    "Terraform deploys {name} to workspace {host}, as it does another stage: give each stage a provider with a host of its own"
)

rule = Rule(
    code="ENV003",
    name="separate-workspaces",
    severity=WARNING,
    confidence=ADVISORY,
    profile=RECOMMENDED,
    queries=(
        Query(
            subject="targets",
            message={"own_workspace": _TEXT, "own_workspace_wished": Message(_TEXT, NOTE)},
            # `none` is a host that the bundle leaves to profile or environment: two of them may be one workspace or two.
            query="""
                SELECT t.*, TRUE AS applies,
                       all_of(p.isolation <> 'workspace' OR o.key = t.key OR o.stage = t.stage
                           OR (o.host <> t.host AND o.host <> 'none' AND t.host <> 'none')
                           OR ((o.host = 'none' OR t.host = 'none') AND NULL)) AS own_workspace,
                       all_of(o.key = t.key OR o.stage = t.stage
                           OR (o.host <> t.host AND o.host <> 'none' AND t.host <> 'none')
                           OR ((o.host = 'none' OR t.host = 'none') AND NULL)) AS own_workspace_wished,
                       min(o.origin) FILTER (WHERE o.host = t.host AND o.stage <> t.stage) AS related
                FROM targets t JOIN targets o ON o.plane = t.plane AND o.project_key = t.project_key CROSS JOIN policy p
                GROUP BY ALL
            """,
        ),
        # A provider without a host, or one that names no stage, says nothing: most root modules are told their workspace.
        Query(
            subject="terraform_roots",
            message={"own_workspace": _ROOT, "own_workspace_wished": Message(_ROOT, NOTE)},
            query="""
                SELECT t.*, t.name <> 'none' AND t.host <> 'none' AS applies,
                       all_of(p.isolation <> 'workspace' OR o.key = t.key OR o.project <> t.project OR o.name = 'none'
                           OR o.host <> t.host OR o.stage = t.stage) AS own_workspace,
                       all_of(o.key = t.key OR o.project <> t.project OR o.name = 'none'
                           OR o.host <> t.host OR o.stage = t.stage) AS own_workspace_wished,
                       min(o.origin) FILTER (WHERE o.project = t.project AND o.host = t.host AND o.stage <> t.stage) AS related
                FROM terraform_roots t JOIN terraform_roots o ON o.plane = t.plane CROSS JOIN policy p
                GROUP BY ALL
            """,
        ),
    ),
)
