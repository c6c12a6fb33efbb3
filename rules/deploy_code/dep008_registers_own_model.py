"""The model that is registered is the one that this run trained.

Why:
    A search for the best run of an experiment finds runs of other people, other branches and other days as well. Registering
    its result puts a model into the registry that today's code and data did not make, and the lineage ends in somebody
    else's run.

Fix:
    Register what the run itself logged, or let the search see only the trials of this run:
    `filter_string=f"tags.mlflow.parentRunId = '{parent.info.run_id}'"`.

Exceptions:
    The parent of a hyperparameter search may choose among its own children. Code that its folder or the policy takes out of the
    pipeline, and tests, are left out. Copies of another version are DEP003's matter.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/machine-learning/manage-model-lifecycle/
"""

from lakewarden.rule import MEDIUM, RECOMMENDED, WARNING, Rule

rule = Rule(
    code="DEP008",
    name="registers-own-model",
    subject="code_calls",
    severity=WARNING,
    confidence=MEDIUM,
    profile=RECOMMENDED,
    revision=2,
    message="{api} registers the best run of a search, maybe not this run's: filter the search by this run, or register its own model",
    query="""
        SELECT c.*,
               c.model_from <> 'none' AND NOT c.is_test AND NOT (
                   SELECT any_of(r.role = 'other' AND r.said_by <> 'call')
                   FROM file_roles r WHERE r.plane = c.plane AND r.file = c.file) AS applies,
               c.model_from <> 'search' AS ok
        FROM code_calls c
    """,
)
