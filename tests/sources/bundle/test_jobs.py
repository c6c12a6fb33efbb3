from __future__ import annotations

from typing import Any

import pytest

from lakewarden.sources.repository.bundle.roles import role_of_task

START = "bundle: {name: b}\ntargets: {prod: {run_as: {service_principal_name: sp}}}\n"
APPLICATION = "0d2b7a51-9d5a-4c4e-9d1f-111111111111"


VERSION = "parameters: [{name: model_name, default: ''}, {name: model_version, default: ''}]"


def job(text: str) -> str:
    indented = "\n".join("      " + line for line in text.splitlines())
    return f"{START}resources:\n  jobs:\n    j:\n{indented}\n"


def task(text: str) -> str:
    return job("tasks:\n- task_key: t\n" + "\n".join("  " + line for line in text.splitlines()))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: x", ("service_principal", "sp", "target")),
        ("run_as: {user_name: ann@acme.com}", ("user", "ann@acme.com", "job")),
        ("run_as: {group_name: g}", ("group", "g", "job")),
        ("run_as: ${var.unset}", (None, None, "job")),
    ],
)
def test_who_a_job_runs_as(read: Any, text: str, expected: tuple[str, str, str]) -> None:
    row = read(job(text)).one("jobs")
    assert (row.run_as_kind, row.run_as, row.run_as_from) == expected


def test_a_job_runs_as_the_deployer_where_nobody_says(read: Any) -> None:
    row = read("bundle: {name: b}\ntargets: {prod: {}}\nresources: {jobs: {j: {}}}\n").one("jobs")
    assert (row.run_as_kind, row.run_as, row.run_as_from, row.name) == ("deployer", "none", "none", "j")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", ("none", "none")),
        ("git_source: {git_url: u, git_branch: main}", ("branch", "main")),
        ("git_source: {git_url: u, git_tag: v1}", ("tag", "v1")),
        ("git_source: {git_url: u, git_commit: abc}", ("commit", "abc")),
        ("git_source: {git_url: u, git_branch: '${var.unset}'}", ("branch", None)),
        ("git_source: {git_url: u}", (None, None)),
    ],
)
def test_git_source(read: Any, source: str, expected: tuple[str | None, str | None]) -> None:
    row = read(job(f"name: x\n{source}")).one("jobs")
    assert (row.git_ref_kind, row.git_ref) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("trigger: {model: {condition: MODEL_ALIAS_SET}}", True),
        (f"{VERSION}\ntasks: [{{task_key: deploy, notebook_task: {{notebook_path: nb}}}}]", True),
        (f"{VERSION}\ntasks: [{{task_key: score, notebook_task: {{notebook_path: nb}}}}]", False),
        (VERSION, False),
        (
            "tasks: [{task_key: Approval_Check, notebook_task: {notebook_path: nb, base_parameters: {model_name: m, model_version: 1}}}]",
            True,
        ),
        ("tasks: [{task_key: approve, notebook_task: {notebook_path: nb, base_parameters: {model_name: m}}}]", False),
        ("parameters: [{name: model_name, default: ''}]", False),
        ("trigger: {file_arrival: {}}", False),
    ],
)
def test_deployment_jobs(read: Any, text: str, expected: bool) -> None:
    assert read(job(text)).one("jobs").is_deployment_job is expected


@pytest.mark.parametrize(
    ("text", "kind", "path", "place", "file"),
    [
        ("notebook_task: {notebook_path: src/train}", "notebook", "src/train", "deployed", "b/src/train.py"),
        ("notebook_task: {notebook_path: ./src/train.py}", "notebook", "./src/train.py", "deployed", "b/src/train.py"),
        ("notebook_task: {notebook_path: src/nb}", "notebook", "src/nb", "deployed", "b/src/nb.ipynb"),
        ("notebook_task: {notebook_path: src/missing}", "notebook", "src/missing", "deployed", None),
        ("notebook_task: {notebook_path: /Users/ann@acme.com/x}", "notebook", "/Users/ann@acme.com/x", "person", "none"),
        ("notebook_task: {notebook_path: /Workspace/Shared/x}", "notebook", "/Workspace/Shared/x", "everyone", "none"),
        ("notebook_task: {notebook_path: /Repos/prod/x}", "notebook", "/Repos/prod/x", "workspace", "none"),
        (f"notebook_task: {{notebook_path: /Users/{APPLICATION}/x}}", "notebook", f"/Users/{APPLICATION}/x", "workspace", "none"),
        ("notebook_task: {notebook_path: '~/x'}", "notebook", "~/x", None, None),
        ("notebook_task: {notebook_path: src/train, source: GIT}", "notebook", "src/train", "git", "b/src/train.py"),
        ("notebook_task: {notebook_path: '${var.unset}'}", "notebook", None, None, None),
        ("spark_python_task: {python_file: dbfs:/x.py}", "python_file", "dbfs:/x.py", "dbfs", "none"),
        ("spark_python_task: {python_file: /Volumes/a/b/c/x.py}", "python_file", "/Volumes/a/b/c/x.py", "volume", "none"),
        ("spark_python_task: {python_file: 's3://b/x.py'}", "python_file", "s3://b/x.py", "cloud", "none"),
        ("sql_task: {file: {path: q.sql}}", "sql", "q.sql", "deployed", "b/q.sql"),
        ("sql_task: {query: {query_id: 1}}", "sql", "none", "none", "none"),
        ("dbt_task: {commands: [dbt run]}", "dbt", "none", "none", "none"),
        ("pipeline_task: {pipeline_id: '${resources.pipelines.p.id}'}", "pipeline", "none", "none", "none"),
        ("run_job_task: {job_id: 1}", "run_job", "none", "none", "none"),
        ("condition_task: {op: EQUAL_TO, left: a, right: b}", "condition", "none", "none", "none"),
        ("spark_jar_task: {main_class_name: x}", "other", "none", "none", "none"),
        ("python_wheel_task: {package_name: p, entry_point: run-it}", "python_wheel", "none", "none", "b/src/p/go.py"),
        ("python_wheel_task: {package_name: p, entry_point: other}", "python_wheel", "none", "none", None),
    ],
)
def test_code_of_tasks(read: Any, text: str, kind: str, path: str | None, place: str | None, file: str | None) -> None:
    seen = read(
        {
            "databricks.yml": task(text),
            "src/train.py": "", "src/nb.ipynb": "{}", "q.sql": "",
            "src/p/go.py": "", "pyproject.toml": '[project.scripts]\nrun_it = "p.go:main"\n',
        }
    )  # fmt: skip
    row = seen.one("tasks")
    assert (row.kind, row.code_path, row.code_place, row.file) == (kind, path, place, file)
    assert bool(seen.gaps("tasks")) == (file is None)


def test_paths_are_relative_to_the_file_that_names_them(read: Any) -> None:
    seen = read(
        {
            "b/databricks.yml": START + "include: [resources/*.yml]\n",
            "b/resources/j.yml": """
                resources:
                  jobs:
                    j:
                      git_source: {git_url: u, git_branch: main}
                      tasks:
                      - {task_key: a, notebook_task: {notebook_path: ../nb/a.py, source: WORKSPACE}}
                      - {task_key: b, notebook_task: {notebook_path: b/nb/a}}
                      - {task_key: c, notebook_task: {notebook_path: "${workspace.file_path}/nb/a", source: WORKSPACE}}
                      - {task_key: d, notebook_task: {notebook_path: "/Workspace${workspace.root_path}/files/nb/a", source: WORKSPACE}}
                """,
            "b/nb/a.py": "",
        }
    )
    assert seen.column("tasks", "file") == ["b/b/nb/a.py"] * 4
    assert seen.column("tasks", "code_place") == ["deployed", "git", "deployed", "deployed"]
    assert seen.one("jobs").code == "b/nb/a\nnb/a"


def test_a_file_of_another_bundle_belongs_to_that_project(read: Any) -> None:
    seen = read(
        {
            "a/databricks.yml": START.replace("name: b", "name: a") + "resources: {jobs: {j: {tasks: [{task_key: t, notebook_task: {notebook_path: ../b/x.py}}]}}}\n",
            "b/databricks.yml": START, "b/x.py": "", "shared/y.py": "",
        }
    )  # fmt: skip
    assert seen.one("tasks").file == "b/b/x.py"
    assert seen.layout.projects == ("a", "b", "repository")


@pytest.mark.parametrize(
    ("key", "path", "known", "role"),
    [
        ("Train", "x.py", (), "training"),
        ("retrain_model", "x.py", (), "training"),
        ("ModelValidation", "x.py", (), "validation"),
        ("evaluate", "x.py", (), "validation"),
        ("approval_check", "x.py", (), "approval"),
        ("promote", "x.py", (), "deployment"),
        ("batch_inference", "x.py", (), "inference"),
        ("score", "x.py", (), "inference"),
        ("batch", "x.py", (), "inference"),
        ("feature_table", "x.py", (), "feature"),
        ("monitor", "x.py", (), "monitor"),
        ("constrain_it", "x.py", (), "other"),
        ("step_1", "training/steps/x.py", (), "training"),
        ("step_1", "x.py", ("training",), "training"),
        ("deploy", "x.py", ("training", "deployment"), "deployment"),
        ("step_1", "x.py", ("training", "validation"), "validation"),
        ("train", "x.py", ("ingestion",), "training"),
    ],
)
def test_roles(read: Any, key: str, path: str, known: tuple[str, ...], role: str) -> None:
    text = f"{START}resources: {{jobs: {{j: {{tasks: [{{task_key: {key}, notebook_task: {{notebook_path: {path}}}}}]}}}}}}\n"
    assert read({"databricks.yml": text, path: ""}, roles={path: frozenset(known)}).one("tasks").role == role


PARAMETERS = job(
    """
parameters:
- {name: catalog, default: prod}
- {name: empty}
- {name: version, default: "{{job.trigger.version}}"}
job_clusters:
- {job_cluster_key: c, new_cluster: {spark_env_vars: {MLFLOW_RUN_CONTEXT: '{"c":"${bundle.git.commit}"}'}, spark_conf: {a.b: 1}}}
environment_variables:
- {environment_variables_key: v, spec: {variables: {STAGE: prod}}}
tasks:
- task_key: t
  job_cluster_key: c
  environment_variables_key: v
  notebook_task:
    notebook_path: /Shared/x
    base_parameters: {a: "{{job.parameters.catalog}}.x", b: "{{task.name}}", c: yes, d: 1.50, e: , git_sha: abc, f: "${var.sha}"}
- task_key: u
  spark_python_task:
    python_file: /Shared/x
    parameters: [--env, prod, "--catalog=${bundle.target}", plain, --flag]
- task_key: w
  sql_task: {query: {query_id: 1}, parameters: {x: y}}
"""
)


def test_values_of_parameters(values: Any) -> None:
    found = values(PARAMETERS)
    task = "jobs.j.tasks.t.notebook_task.base_parameters"
    assert {name: found[f"{task}.{name}"] for name in ("a", "b", "c", "d", "e", "git_sha", "f")} == {
        "a": "prod.x", "b": None, "c": "yes", "d": "1.50", "e": "", "git_sha": "abc", "f": None,
    }  # fmt: skip
    assert {name: found[f"jobs.j.parameters.{name}"] for name in ("catalog", "empty", "version")} == {
        "catalog": "prod", "empty": "", "version": None,
    }  # fmt: skip
    arguments = {pointer.rpartition(".")[2]: value for pointer, value in found.items() if ".u." in pointer}
    assert arguments == {"parameters[1]": "prod", "parameters[2]": "prod", "parameters[3]": "plain"}
    assert found["jobs.j.tasks.w.sql_task.parameters.x"] == "y"
    assert found["jobs.j.environment_variables_key.variables.STAGE"] == "prod"
    assert found["jobs.j.job_clusters.c.new_cluster.spark_env_vars.MLFLOW_RUN_CONTEXT"] is None


def test_parameters_and_what_carries_the_commit(read: Any) -> None:
    seen = read(PARAMETERS)
    rows = {row.key.removeprefix("b/prod/jobs.j/"): row.holds_commit for row in seen.rows("task_params")}
    assert {key for key, value in rows.items() if value is True} == {"t/env/MLFLOW_RUN_CONTEXT"}
    assert {key for key, value in rows.items() if value is None} == {"t/task/git_sha", "t/task/f"}, "CI may put the commit there"
    assert {
        "t/job/catalog",
        "t/task/a",
        "t/conf/a.b",
        "t/env/STAGE",
        "u/task/env",
        "u/task/catalog",
        "u/task/3",
        "w/task/x",
    } <= rows.keys()
    assert {row.name for row in seen.rows("job_params")} == {"catalog", "empty", "version"}
    assert [gap.reason for gap in seen.gaps("task_params")] == ["databricks.yml:21: variable sha is not declared"]


@pytest.mark.parametrize(
    ("spec", "pinned", "place"),
    [
        ("pypi: {package: mlflow==3.1.0}", True, "index"),
        ("pypi: {package: mlflow}", False, "index"),
        ("pypi: {package: 'mlflow>=3'}", False, "index"),
        ("pypi: {package: 'mlflow==3.*'}", False, "index"),
        ("pypi: {package: 'a[x]==1.0'}", True, "index"),
        ("maven: {coordinates: 'a:b:1.0'}", True, "index"),
        ("maven: {coordinates: 'a:b:[1,2]'}", False, "index"),
        ("maven: {coordinates: 'a:b'}", False, "index"),
        ("whl: ../dist/*.whl", False, "deployed"),
        ("whl: dist/a-1.0-py3-none-any.whl", True, "deployed"),
        ("whl: /Volumes/a/b/c/a-1.0-py3-none-any.whl", True, "volume"),
        ("whl: /Volumes/a/b/c/latest.whl", False, "volume"),
        ("whl: dbfs:/FileStore/a.whl", False, "dbfs"),
        ("whl: /Workspace/Shared/a.whl", False, "everyone"),
        ("whl: /Users/ann@acme.com/a.whl", False, "person"),
        ("jar: /Workspace/libs/a-1.0.jar", True, "workspace"),
        ("pypi: {package: '${var.unset}'}", None, "index"),
    ],
)
def test_libraries(read: Any, spec: str, pinned: bool | None, place: str) -> None:
    row = read(task(f"libraries:\n- {spec}")).one("task_libraries")
    assert (row.pinned, row.path_place) == (pinned, place)


def test_what_can_be_edited_is_installed_all_the_same(read: Any) -> None:
    text = job(
        "tasks:\n- {task_key: t, environment_key: e, dbt_task: {}}\nenvironments:\n"
        "- {environment_key: e, spec: {dependencies: ['-e git+https://h/x', '--editable ./pkg', '-r r.txt', [1], null]}}"
    )
    seen = read({"databricks.yml": text, "r.txt": "-e git+https://h/y\n--editable=git+https://h/z@v1.2#egg=z\n"})
    assert [(row.spec, row.pinned, row.path_place) for row in seen.rows("task_libraries")] == [
        ("git+https://h/x", False, "index"),
        ("./pkg", False, "deployed"),
        ("git+https://h/y", False, "index"),
        ("git+https://h/z@v1.2#egg=z", True, "index"),
        (None, None, "index"),
    ]
    assert len(seen.gaps("task_libraries")) == 1


def test_many_requirement_files_are_all_followed(read: Any) -> None:
    text = job(
        "tasks:\n- {task_key: t, environment_key: e, dbt_task: {}}\nenvironments:\n"
        "- {environment_key: e, spec: {dependencies: ['-r 0.txt']}}"
    )
    seen = read({"databricks.yml": text, **{f"{n}.txt": f"-r {n + 1}.txt\n" for n in range(50)}, "50.txt": "pandas\n"})
    assert seen.column("task_libraries", "spec") == ["pandas"]


@pytest.mark.parametrize(
    ("block", "path", "place", "told"),
    [
        ("spark_submit_task: {parameters: ['dbfs:/x.py']}", None, None, "the code of a spark_submit_task is not read"),
        ("clean_rooms_notebook_task: {notebook_name: n}", None, None, "the code of a clean_rooms_notebook_task is not read"),
        ("new_kind_task: {}", None, None, "the code of a new_kind_task is not read"),
        ("timeout_seconds: 1", None, None, "the task does not say what it runs"),
        ("gen_ai_compute_task: {training_script_path: /Users/a@b.c/x.py}", "/Users/a@b.c/x.py", "person", None),
        ("spark_jar_task: {main_class_name: X}", "none", "none", None),
        ("dashboard_task: {dashboard_id: x}", "none", "none", None),
        ("run_job_task: {job_id: 1}", "none", "none", None),
    ],
)
def test_what_a_task_runs_is_not_known_where_nobody_reads_it(
    read: Any, block: str, path: str | None, place: str | None, told: str | None
) -> None:
    seen = read(task(block))
    row = seen.one("tasks")
    assert (row.code_path, row.code_place, row.file) == (path, place, "none" if path is not None else None)
    assert [g.reason.partition(": ")[2] for g in seen.gaps("tasks", lists=False)] == ([told] if told else [])


def test_requirement_files_are_followed(read: Any) -> None:
    text = job(
        "tasks:\n- {task_key: t, environment_key: e, dbt_task: {}}\nenvironments:\n"
        "- {environment_key: e, spec: {client: '1', dependencies: ['-r req/a.txt', 'x @ https://h/x-1.0-py3-none-any.whl', ./dist/*.whl]}}"
    )
    files = {
        "databricks.yml": text,
        "req/a.txt": "# tools\nmlflow==3.1  # exact\npandas\n-r b.txt\n--index-url https://x\n-c constraints.txt\n\nnumpy==1.0 \\\n  --hash=sha256:1\n",
        "req/b.txt": "-r a.txt\nscipy~=1.0\nSciKit_Learn\n",
        "req/constraints.txt": "scikit-learn==1.5.2\npandas\n",
    }
    seen = read(files)
    assert [(row.spec, row.pinned, row.path_place) for row in seen.rows("task_libraries")] == [
        ("mlflow==3.1", True, "index"),
        ("pandas", False, "index"),
        ("numpy==1.0 --hash=sha256:1", True, "index"),
        ("scipy~=1.0", False, "index"),
        ("SciKit_Learn", True, "index"),
        ("x @ https://h/x-1.0-py3-none-any.whl", True, "index"),
        ("./dist/*.whl", False, "deployed"),
    ]
    assert seen.rows("task_libraries")[1].origin[:2] == ("req/a.txt", 3)
    assert seen.gaps() == []
    del files["req/b.txt"]
    gap = read(files).gaps("task_libraries", lists=True)
    assert [(g.cause.value, g.parent) for g in gap] == [("failed", "b/prod/jobs.j/t")]
    assert "req/b.txt" in gap[0].reason


def test_requirements_outside_the_repository(read: Any) -> None:
    seen = read(
        job(
            "tasks:\n- {task_key: t, environment_key: e}\nenvironments:\n- {environment_key: e, spec: {dependencies: ['-r /Volumes/a/r.txt']}}"
        )
    )
    assert [g.parent for g in seen.gaps("task_libraries", lists=True)] == ["b/prod/jobs.j/t"]


def test_upstream(read: Any) -> None:
    seen = read(
        job(
            """
            tasks:
            - {task_key: train, notebook_task: {notebook_path: /Shared/x}}
            - task_key: validate
              depends_on: [{task_key: train}]
              notebook_task: {notebook_path: /Shared/x, base_parameters: {run_mode: dry_run}}
            - {task_key: notify, depends_on: [{task_key: validate}], run_if: ALL_DONE}
            - {task_key: deploy, depends_on: [{task_key: notify}]}
            - {task_key: late, depends_on: [{task_key: deploy}, {task_key: train}]}
            - {task_key: odd, depends_on: [{task_key: validate}], run_if: "${var.unset}"}
            """.replace("            ", "")
        )
    )
    found = {
        (row.task.rpartition("/")[2], row.upstream.rpartition("/")[2]): (row.role, row.must_succeed, row.enforced)
        for row in seen.rows("task_upstream")
    }
    assert found == {
        ("validate", "train"): ("training", True, True),
        ("notify", "validate"): ("validation", False, False),
        ("notify", "train"): ("training", False, True),
        ("deploy", "notify"): ("other", True, True),
        ("deploy", "validate"): ("validation", False, False),
        ("deploy", "train"): ("training", False, True),
        ("late", "deploy"): ("deployment", True, True),
        ("late", "notify"): ("other", True, True),
        ("late", "validate"): ("validation", False, False),
        ("late", "train"): ("training", True, True),
        ("odd", "validate"): ("validation", None, False),
        ("odd", "train"): ("training", None, True),
    }


def test_a_loop_and_its_task(read: Any) -> None:
    seen = read(
        job(
            """
            tasks:
            - {task_key: first}
            - task_key: loop
              depends_on: [{task_key: first}]
              for_each_task: {inputs: "[1]", task: {task_key: train, notebook_task: {notebook_path: /Shared/x}}}
            - {task_key: last, depends_on: [{task_key: loop}]}
            """.replace("            ", "")
        )
    )
    assert {(row.name, row.kind) for row in seen.rows("tasks")} == {
        ("first", "other"), ("loop", "for_each"), ("train", "notebook"), ("last", "other"),
    }  # fmt: skip
    pairs = {(row.task.rpartition("/")[2], row.upstream.rpartition("/")[2]) for row in seen.rows("task_upstream")}
    assert pairs == {
        ("loop", "train"),
        ("loop", "first"),
        ("train", "first"),
        ("last", "loop"),
        ("last", "train"),
        ("last", "first"),
    }


def test_tasks_in_a_circle_end(read: Any) -> None:
    seen = read(job("tasks:\n- {task_key: a, depends_on: [{task_key: b}]}\n- {task_key: b, depends_on: [{task_key: a}]}"))
    assert len(seen.rows("task_upstream")) == 2


def test_tasks_that_cannot_be_told_are_a_gap_of_their_job(read: Any) -> None:
    seen = read(job("tasks: ${var.unset}"))
    assert [(g.facts, g.parent) for g in seen.gaps(lists=True)] == [("tasks", "b/prod/jobs.j")]
    assert seen.one("jobs").key == "b/prod/jobs.j"


def test_pipelines(read: Any) -> None:
    seen = read(
        {
            "databricks.yml": START
            + """
resources:
  pipelines:
    etl:
      name: etl
      catalog: prod
      target: ml
      configuration: {source_table: raw.a.b}
      environment: {dependencies: [mlflow==3.1]}
      libraries:
      - notebook: {path: dlt/features.py}
      - file: {path: dlt/b.sql}
      - glob: {include: dlt/**}
""",
            "dlt/features.py": "", "dlt/b.sql": "",
        }
    )  # fmt: skip
    assert [(t.kind, t.file, t.role) for t in seen.rows("tasks")] == [
        ("pipeline_library", "b/dlt/features.py", "feature"),
        ("pipeline_library", "b/dlt/b.sql", "other"),
        ("pipeline_library", None, "other"),
    ]
    assert seen.one("jobs").kind == "pipeline"
    assert {(c.catalog, c.schema, c.access) for c in seen.rows("target_catalogs")} == {
        ("prod", "ml", "own"),
        ("raw", "a", "read"),
    }
    assert seen.column("task_libraries", "pinned") == [True] * 3
    assert [row.key.rpartition("/")[2] for row in seen.rows("task_params")] == ["source_table"] * 3


@pytest.mark.parametrize(
    ("known", "key", "path", "expected"),
    [
        ((), "train_model", None, "training"),
        ((), "prepare_training_data", "src/ml_training/prepare_data.py", "other"),
        (("training",), "prepare", "src/ml_training/prepare_data.py", "other"),
        (("training",), "register_model", "src/ml_training/register_model.py", "other"),
        (("training",), "process", "src/steps/process.py", "training"),
        (("training",), "step_one", "src/training/main.py", "training"),
        (("training",), "process_and_train", "src/training/all.py", "training"),
        (("inference", "training"), "score", "src/model.py", "inference"),
        ((), "publish_training_base", "04_publish_training_base", "other"),
        ((), "", "", "other"),
    ],
)
def test_roles_of_tasks(known: tuple[str, ...], key: str, path: str | None, expected: str) -> None:
    assert role_of_task(known, key, path) == expected
