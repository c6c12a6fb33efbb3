"""Production experiments do not live in a personal folder.

Why:
    The history of production runs has to outlive every person. An experiment in somebody's folder is deleted with the
    account, is closed to the team, and its owner may rewrite what was recorded.

Fix:
    Give the experiment a path that belongs to the environment, such as `/Shared/prod/churn`, at least for the production
    target:

        targets:
          prod:
            variables:
              experiment_name: /Shared/prod/churn

Exceptions:
    Development and staging. The folder of a service principal. A path in the folder of whoever deploys
    (`/Users/${workspace.current_user.userName}`), or of whoever runs the code, is a note: it is a person's only if a
    person deploys or runs it. Tests.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/mlflow/experiments
    https://docs.databricks.com/aws/en/dev-tools/bundles/deployment-modes
"""

from lakewarden.rule import HIGH, MEDIUM, NOTE, RECOMMENDED, WARNING, Message, Query, Rule

rule = Rule(
    code="TRK005",
    name="impersonal-experiment",
    severity=WARNING,
    confidence=HIGH,
    profile=RECOMMENDED,
    revision=3,
    queries=(
        Query(
            subject="experiments",
            query="""
                SELECT e.*, e.stage = 'production' AS applies, e.path_place <> 'person' AS of_no_person, e.path_place <> 'deployer' AS not_of_deployer
                FROM experiments e
            """,
            message={
                "of_no_person": "production experiment {path} is in a personal folder: use a path of the environment, such as /Shared/prod/…",
                "not_of_deployer": Message(
                    "production experiment {path} is in the folder of whoever deploys: use a path of the environment, such as /Shared/prod/…",
                    severity=NOTE,
                ),
            },
        ),
        Query(
            subject="code_calls",
            query="""
                SELECT c.*, NOT c.is_test AND (c.api IN ('mlflow.set_experiment', 'mlflow.create_experiment', 'mlflow.experiment_path')
                           OR c.api IN ('mlflow.start_run', 'databricks.automl') AND c.path_place <> 'none') AS applies,
                       c.path_place <> 'person' AS of_no_person, c.path_place <> 'deployer' AS not_of_runner
                FROM code_calls c
            """,
            message={
                "of_no_person": Message(
                    "experiment {argument} is in the folder of one person: take the path from a parameter that the target sets",
                    confidence=MEDIUM,
                ),
                # Code does not know where it runs: it may be a notebook for trying things out.
                "not_of_runner": Message(
                    "the experiment is in the folder of whoever runs this: take the path from a parameter that the target sets",
                    NOTE,
                    MEDIUM,
                ),
            },
        ),
    ),
)
