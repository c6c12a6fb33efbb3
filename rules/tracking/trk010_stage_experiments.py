"""Each stage logs to its own experiment.

Why:
    One experiment for all stages mixes trials with production runs. A comparison with the live model, or a search for the
    best run, then compares unlike things, and may promote a model that was made for a test.

Fix:
    Put the stage into the path, and let the target set it:

        mlflow.set_experiment(dbutils.widgets.get("experiment_name"))

        targets:
          prod:
            variables:
              experiment_name: /Shared/prod/churn

Exceptions:
    Stages in different workspaces, where one path names two experiments. Targets in development mode, which put a prefix
    before the names of experiments that the bundle declares. Code of a project with one stage, and code that no task runs.
    Tests.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/dev-tools/bundles/deployment-modes
"""

from lakewarden.rule import MEDIUM, RECOMMENDED, WARNING, Query, Rule

rule = Rule(
    code="TRK010",
    name="stage-experiments",
    severity=WARNING,
    confidence=MEDIUM,
    profile=RECOMMENDED,
    revision=2,
    queries=(
        Query(
            subject="experiments",
            # `AND NULL`: a host that comes from a profile may be the same, or not.
            query="""
                SELECT e.*, TRUE AS applies,
                       all_of(o.key = e.key OR o.project <> e.project OR o.path <> e.path OR o.stage = e.stage OR o.host <> e.host
                           OR (o.host = 'none' AND NULL)) AS ok,
                       min(o.origin) FILTER (WHERE o.project = e.project AND o.path = e.path AND o.stage <> e.stage) AS related
                FROM experiments e JOIN experiments o ON o.plane = e.plane
                GROUP BY ALL
            """,
            message="experiment {path} is shared with another stage: put the stage into its path, and let each target set it",
        ),
        Query(
            subject="code_literals",
            query="""
                SELECT l.*, l.kind = 'experiment' AND l.is_write AND NOT l.is_test AND NOT l.is_default
                           AND p.several_stages AND f.is_run AS applies,
                       NOT p.shares_workspace AS ok
                FROM code_literals l LEFT JOIN projects p ON p.plane = l.plane AND p.key = l.project_key
                LEFT JOIN files f ON f.plane = l.plane AND f.key = l.file
            """,
            message="every stage logs to experiment {value} in one workspace: take the path from a parameter that the target sets",
        ),
    ),
)
