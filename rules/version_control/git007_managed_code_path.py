"""Production code is not loaded from a personal or unmanaged path.

Why:
    A notebook under `/Users/ann`, or a wheel on DBFS, is outside review: its owner, and on DBFS everyone, can
    change what production runs at the next run, and no commit records the change. It goes when the account goes.

Fix:
    Keep the code in the repository and name it relative to the bundle; it is then deployed with the job:

        notebook_task:
          notebook_path: ../notebooks/train.py

    Build wheels as artifacts of the bundle, or install them from a package index. In code import a module of the
    repository instead of `%run /Users/...`.

Exceptions:
    A Git folder of production that follows the release branch, and that people cannot change, is as good as a deployment.
    Other absolute paths, in the workspace, on volumes or in cloud storage, are unknown: the path does not tell who may
    write there. Libraries on a volume are accepted, since a bundle may put its artifacts there.
    Tests may load what they like.

References:
    https://docs.databricks.com/aws/en/machine-learning/mlops/mlops-workflow
    https://docs.databricks.com/aws/en/dev-tools/bundles/job-task-types
"""

from lakewarden.rule import ERROR, HIGH, RECOMMENDED, Query, Rule

rule = Rule(
    code="GIT007",
    name="managed-code-path",
    severity=ERROR,
    confidence=HIGH,
    profile=RECOMMENDED,
    # What lies in no known good or bad place is not known: hence the `AND NULL`.
    queries=(
        Query(
            subject="tasks",
            message="production task {name} runs {code_path}, which is outside the deployment: name a file of the bundle",
            query="""
                SELECT t.*, t.stage = 'production' AND t.code_place <> 'none' AS applies,
                       t.code_place IN ('deployed', 'git')
                           OR (t.code_place NOT IN ('person', 'everyone', 'dbfs') AND NULL) AS ok
                FROM tasks t
            """,
        ),
        Query(
            subject="task_libraries",
            message="production installs {spec}, which is outside the deployment: build it as an artifact, or install it from an index",
            query="""
                SELECT l.*, l.stage = 'production' AS applies,
                       l.path_place IN ('deployed', 'index', 'volume')
                           OR (l.path_place NOT IN ('person', 'everyone', 'dbfs') AND NULL) AS ok
                FROM task_libraries l
            """,
        ),
        Query(
            subject="code_loads",
            message="{how} loads {path}, which is outside the repository: import a module of the repository instead",
            query="""
                SELECT l.*, NOT f.is_test AS applies,
                       l.path_place IN ('relative', 'volume', 'local')
                           OR (l.path_place NOT IN ('person', 'everyone', 'dbfs', 'mount') AND NULL) AS ok
                FROM code_loads l LEFT JOIN files f ON f.plane = l.plane AND f.key = l.file
            """,
        ),
    ),
)
