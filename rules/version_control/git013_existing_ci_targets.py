"""Every target that CI deploys or runs exists.

Why:
    A workflow that names a target which no bundle defines fails, and mostly on the day of the release, because that is
    when the production workflow runs. In a repository with several bundles it may also reach the target of another one.

Fix:
    Write the target's name as it stands in `databricks.yml`:

        - run: databricks bundle deploy -t prod

Exceptions:
    Where an earlier step writes the target (`yq -i`, a rendered template), where the bundle lies in another repository,
    or where the name is an input of the workflow, the target cannot be told: the verdict is unknown.
    A command without `-t` reaches the default target and is not judged, nor is one of another tool, such as Terraform or dbx.

References:
    https://docs.databricks.com/aws/en/dev-tools/cli/bundle-commands
    https://docs.databricks.com/aws/en/dev-tools/ci-cd/github
"""

from lakewarden.rule import CORE, ERROR, HIGH, Rule

rule = Rule(
    code="GIT013",
    name="existing-ci-targets",
    subject="ci_deployments",
    severity=ERROR,
    confidence=HIGH,
    profile=CORE,
    revision=2,
    message="CI names target {target_name}, which the bundle does not define: write a name that stands under `targets`",
    # `d.target <> d.target` is never true, and not known where the target is not. Where a target of the bundle was not
    # seen, its name is not known: it may be the one that CI names.
    query="""
        SELECT d.*, d.tool = 'bundle' AND d.target_name <> 'none' AS applies,
               CASE WHEN t.key IS NULL THEN FALSE WHEN t.gap IS NULL THEN TRUE END OR d.target <> d.target
                   OR NOT (d.ci_job = j.key AND (
                       SELECT all_of(x.name = x.name) FROM targets x
                       WHERE x.plane = d.plane AND x.project_key = j.project_key)) AS ok
        FROM ci_deployments d LEFT JOIN targets t ON t.plane = d.plane AND t.key = d.target
        LEFT JOIN ci_jobs j ON j.plane = d.plane AND j.key = d.ci_job
    """,
)
