"""Production dependencies are pinned.

Why:
    A requirement without an exact version installs something else next month. The model that is trained again is then not the
    one that was tested, staging and production differ, and a broken or hostile release of a package reaches production by
    itself.

Fix:
    Write `scikit-learn==1.5.2`, or install what a lock tool exported (`uv pip compile`, `pip-compile`, `poetry export`). Give
    wheels a version or build them in the deployment, and name a runtime version instead of `auto:latest`.

Exceptions:
    Requirements that come from a lock file, the packages of a runtime with long-term support, and a wheel of the project
    that the same deployment builds.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/dev-tools/ci-cd/best-practices
"""

from lakewarden.rule import ADVISORY, RECOMMENDED, WARNING, Rule

rule = Rule(
    code="DEP014",
    name="pinned-dependencies",
    subject="task_libraries",
    severity=WARNING,
    confidence=ADVISORY,
    profile=RECOMMENDED,
    message="{task} installs {spec}, which may be another build next time: pin it to one version",
    query="""
        SELECT l.*, l.stage = 'production' AS applies, l.pinned OR l.path_place = 'deployed' AS ok
        FROM task_libraries l
    """,
)
