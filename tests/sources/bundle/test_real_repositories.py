"""What bundles in public repositories look like; each test holds one shape, rebuilt small."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest

from lakewarden.facts.gaps import Cause
from lakewarden.sources.repository.bundle.tables import FILLS

HOST = "https://adb-1.azuredatabricks.net"


def test_1_a_production_target_without_a_mode(read: Any) -> None:
    seen = read("bundle: {name: b}\ntargets:\n  prod:\n    workspace: {host: https://adb-1.azuredatabricks.net}\n")
    target = seen.target("prod")
    assert (target.mode, target.host, target.is_default) == ("none", HOST, True)
    assert (target.run_as_kind, target.run_as, target.root_path, target.git_branch) == ("deployer", "none", "none", "none")


def test_2_a_catalog_by_the_name_of_the_target_in_an_included_file(read: Any) -> None:
    seen = read(
        {
            "databricks.yml": """
                bundle: {name: b}
                include: [resources/*.yml]
                targets: {dev: {default: true}, prod: {}}
                """,
            "resources/model.yml": """
                resources:
                  registered_models:
                    m: {name: churn, catalog_name: "${bundle.target}", schema_name: ml}
                  jobs:
                    train:
                      tasks:
                      - task_key: train
                        notebook_task:
                          notebook_path: ../train.py
                          base_parameters: {env: "${bundle.target}", output_table: "${bundle.target}.ml.predictions"}
                """,
            "train.py": "print()\n",
        }
    )
    assert {(c.target, c.catalog, c.schema, c.access) for c in seen.rows("target_catalogs")} == {
        ("b/dev", "dev", "ml", "own"),
        ("b/prod", "prod", "ml", "own"),
    }
    references = {
        (r.key.removeprefix("b/prod/"), r.kind, r.named, r.is_write, r.hard_coded)
        for r in seen.rows("config_refs", target="b/prod")
    }
    assert references == {
        ("resources.registered_models.m.catalog_name", "model", "prod", True, False),
        ("resources.jobs.train.tasks.train.notebook_task.base_parameters.env", "parameter", "prod", True, False),
        ("resources.jobs.train.tasks.train.notebook_task.base_parameters.output_table", "table", "prod", True, False),
    }


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("host: # add the workspace", "none"),
        ("host: ''", "none"),
        ("profile: PROD", "none"),
        ("host: https://<workspace>.cloud.databricks.com", None),
        ("host: https://adb-xxxx.xx.azuredatabricks.net", None),
        ("host: https://company.databricks.com", None),
        ("host: https://your-workspace.cloud.databricks.com/", None),
        ("host: https://dbc-REPLACE-ME.cloud.databricks.com", None),
        ("host: $(DATABRICKS_HOST)", None),
        ("host: ${DATABRICKS_HOST}", None),
        ("host: '#{host}#'", None),
        ("host: ${var.nobody_set_it}", None),
        ("host: https://ADB-1.azuredatabricks.net/", HOST),
        ("host: https://adb-1.azuredatabricks.net/?o=1", HOST),
        ("host: adb-1.azuredatabricks.net", HOST),
        ("host: ${var.host}", HOST),
    ],
)
def test_3_hosts(read: Any, written: str, host: str | None) -> None:
    seen = read(
        f"bundle: {{name: b}}\nvariables: {{host: {{default: {HOST}/}}}}\ntargets:\n  prod:\n    workspace:\n      {written}\n"
    )
    assert seen.target("prod").host == host
    assert [g.cause for g in seen.gaps("targets")] == ([Cause.UNRESOLVED] if host is None else [])
    assert all(g.origin.line == 6 and g.value for g in seen.gaps("targets"))
    assert seen.target("prod").profile == ("PROD" if "profile" in written else "none")


def test_3_a_placeholder_is_no_person(read: Any) -> None:
    seen = read("bundle: {name: b}\ntargets:\n  prod:\n    workspace: {root_path: /Workspace/Users/<deployer>/.bundle}\n")
    assert seen.one("target_paths").path_place is None
    assert "placeholder" in seen.gaps("target_paths")[0].reason


def test_4_targets_in_included_files_completed_across_them(read: Any) -> None:
    seen = read(
        {
            "bundles/churn/databricks.yml": """
                bundle: {name: churn}
                include:
                - ../../.bundles/*.y*ml
                - targets/prod.yml
                """,
            ".bundles/targets.yaml": """
                targets:
                  dev:
                    default: true
                    mode: development
                  stg:
                  prod:
                    mode: production
                    variables: {nobody_declared: 1}
                """,
            "bundles/churn/targets/prod.yml": """
                targets:
                  prod:
                    resources:
                      jobs:
                        train: {name: only production}
                # qa:
                #   mode: production
                """,
        }
    )
    assert [t.name for t in seen.rows("targets")] == ["dev", "stg", "prod"]
    assert [(t.mode, t.is_default) for t in seen.rows("targets")] == [
        ("development", True),
        ("none", False),
        ("production", False),
    ]
    assert seen.target("stg").origin[:2] == (".bundles/targets.yaml", 6)
    assert seen.target("prod").path == "bundles/churn/databricks.yml"
    assert seen.column("jobs", "name") == ["only production"]
    assert seen.one("jobs").origin.path == "bundles/churn/targets/prod.yml"
    assert seen.one("jobs").key == "churn/prod/jobs.train"


def test_5_names_of_targets_are_kept_as_written(read: Any) -> None:
    names = ["prd", "prod_rs", "prod_west", "prod_aws", "acc", "qa", "stg", "tst", "sandbox", "本番", "a:b ", "2"]
    lines = "".join(f"  '{name}': {{mode: development}}\n" for name in names)
    seen = read("bundle: {name: b}\ntargets:\n" + lines)
    assert [t.name for t in seen.rows("targets")] == names
    assert {t.is_default for t in seen.rows("targets")} == {False}


def test_5_production_may_be_the_default_and_in_development_mode(read: Any) -> None:
    seen = read("bundle: {name: b}\ntargets:\n  dev: {}\n  prod: {default: true, mode: development}\n")
    assert [(t.is_default, t.mode) for t in seen.rows("targets")] == [(False, "none"), (True, "development")]


def test_6_variables(read: Any, values: Any) -> None:
    files = {
        "databricks.yml": textwrap.dedent("""
                bundle: {name: b}
                include: [vars.yml]
                variables:
                  cluster:
                    type: complex
                    default:
                      spark_version: 15.4.x
                      spark_env_vars: {ENVIRONMENT: "${var.git-sha}"}
                  policy: {lookup: {cluster_policy: personal}}
                  git-sha: {default: abc}
                  name: {default: "${var.prefix}-${bundle.target}"}
                  prefix: {default: x}
                targets:
                  dev:
                    variables:
                      prefix: {default: y}
                  prod:
                    variables:
                      policy: {lookup: {cluster_policy: shared}}
                      git-sha: {default: def}
                    workspace: {root_path: "${var.root}/${bundle.name}"}
                resources:
                  jobs:
                    train:
                      name: ${var.name}
                      tasks:
                      - task_key: train
                        new_cluster: ${var.cluster}
                        notebook_task:
                          notebook_path: a.py
                          base_parameters: {version: "${var.cluster.spark_version}", policy: "${var.policy}", whole: "${var.cluster}"}
                """),
        "vars.yml": "variables:\n  root: {default: /Workspace/Shared}\n",
        "a.py": "print()\n",
    }
    seen = read(files)
    assert seen.column("jobs", "name") == ["y-dev", "x-prod"]
    assert seen.target("prod").root_path == "/Workspace/Shared/b"
    path = seen.one("target_paths", target="b/prod")
    assert (path.path_place, path.origin[:2]) == ("everyone", ("databricks.yml", 22))
    assert any("looked up" in g.reason for g in seen.gaps("task_params"))
    found = values(files["databricks.yml"])
    task = "jobs.train.tasks.train.notebook_task.base_parameters"
    assert (found[f"{task}.version"], found[f"{task}.policy"], found[f"{task}.whole"]) == ("15.4.x", None, None)
    assert found["jobs.train.tasks.train.new_cluster.spark_env_vars.ENVIRONMENT"] == "def"


def test_7_anchors_at_the_top_and_merge_keys(read: Any) -> None:
    seen = read(
        """
        bundle: {name: b}
        permissions: &permissions
          permissions:
          - {level: CAN_VIEW, group_name: users}
        name: &name churn
        targets: {prod: {}}
        resources:
          jobs:
            train:
              name: *name
              <<: *permissions
        """
    )
    assert seen.one("jobs").name == "churn"
    row = seen.one("permissions")
    assert (row.object_kind, row.object_name, row.principal, row.level) == ("job", "churn", "group:users", "CAN_VIEW")
    assert row.origin.line == 5


def test_7_templates_are_skipped_and_named(read_disk: Any) -> None:
    seen = read_disk(
        {
            "databricks.yml": "bundle: {name: b}\ninclude: [resources/*, 'more/*.yml']\ntargets: {prod: {}}\n",
            "resources/a.yml": "resources: {jobs: {a: {name: a}}}\n",
            "resources/b.yml.tmpl": "resources: {jobs: {{.x}}}\n",
            "more/c.yml.j2": "resources: {% x %}\n",
            "other/d.yml.tmpl": "nobody includes it: {{.x}}\n",
        }
    )
    assert seen.column("jobs", "name") == ["a"]
    assert {s.path for s in seen.facts.skipped if s.kind == "template"} == {"resources/b.yml.tmpl", "more/c.yml.j2"}
    lost = seen.gaps("jobs", lists=True)
    assert [g.cause for g in lost] == [Cause.UNRESOLVED, Cause.UNRESOLVED]
    assert not seen.complete("jobs", "b")


def test_7_a_rendered_template_is_read_as_what_it_became(read_disk: Any) -> None:
    seen = read_disk(
        {
            "databricks.yml": "bundle: {name: b}\ninclude: [r/*.yml]\ntargets: {prod: {}}\n",
            "r/a.yml": "resources: {jobs: {a: {name: a}}}\n",
            "r/a.yml.tmpl": "resources: {{.x}}\n",
        }
    )
    assert seen.column("jobs", "name") == ["a"]
    assert seen.gaps() == []


def test_8_template_folders_and_odd_names(read_disk: Any) -> None:
    seen = read_disk(
        {
            "template/{{.input_root_dir}}/databricks.yml": "bundle: {name: '{{.name}}'}\n",
            "{{cookiecutter.name}}/databricks.yml": "bundle: {name: x}\n",
            "プロジェクト/databricks.yml": "bundle: {name: b}\nresources: {jobs: {'a: b ': {name: ' ジョブ '}}}\ntargets: {prod: {}}\n",
        }
    )
    assert seen.layout.projects == ("b",)
    assert seen.one("jobs").name == " ジョブ "
    assert seen.one("jobs").key == "b/prod/jobs.a: b "


@pytest.mark.parametrize("block", ["python", "experimental: {python"])
def test_9_resources_declared_in_python_leave_the_objects_open(read: Any, block: str) -> None:
    end = "}" if "{" in block else ""
    seen = read(
        f"bundle: {{name: b}}\n{block}: {{resources: ['r:load']}}{end}\ntargets: {{prod: {{}}}}\nresources: {{jobs: {{a: {{}}}}}}\n"
    )
    open_tables = {g.facts for g in seen.gaps(lists=True)}
    assert {"jobs", "experiments", "models", "securables", "permissions", "target_catalogs"} <= open_tables
    assert not open_tables & {"targets", "target_paths", "tasks", "task_params"}
    assert {table for table in FILLS if not seen.complete(table, "b")} == open_tables
    assert {g.cause for g in seen.gaps()} == {Cause.UNRESOLVED}
    assert seen.column("jobs", "key") == ["b/prod/jobs.a"]


def test_9_mutators_in_python_leave_every_list_open(read: Any) -> None:
    seen = read("bundle: {name: b}\npython: {mutators: ['m:run']}\ntargets: {prod: {}}\n")
    assert {"jobs", "tasks", "task_params", "grants"} <= {g.facts for g in seen.gaps(lists=True)}
    assert seen.complete("targets", "b")


def test_9_python_without_resources_is_no_gap(read: Any) -> None:
    assert read("bundle: {name: b}\npython: {venv_path: .venv}\ntargets: {prod: {}}\n").gaps() == []


def test_9_the_older_key_for_python(read: Any) -> None:
    seen = read("bundle: {name: b}\nexperimental: {pydabs: {enabled: true}}\ntargets: {prod: {}}\n")
    assert not seen.complete("jobs", "b")
    assert read("bundle: {name: b}\nexperimental: {pydabs: {enabled: false}}\ntargets: {prod: {}}\n").complete("jobs", "b")


def test_10_what_the_root_grants_reaches_production(read: Any) -> None:
    seen = read(
        """
        bundle: {name: b}
        resources:
          schemas:
            ml:
              name: ml
              catalog_name: ${bundle.target}
              grants:
              - {principal: account users, privileges: [SELECT]}
        permissions:
        - {group_name: admins, level: CAN_MANAGE}
        targets:
          prod:
            permissions:
            - {user_name: ann@acme.com, level: CAN_MANAGE}
            resources:
              schemas:
                ml:
                  grants:
                  - {principal: account users, privileges: [USE SCHEMA, SELECT]}
                  - {principal: 0d2b7a51-9d5a-4c4e-9d1f-111111111111, privileges: [MODIFY]}
        """
    )
    assert [(g.principal, g.principal_kind, g.privilege) for g in seen.rows("grants")] == [
        ("group:account users", "everyone", "SELECT"),
        ("group:account users", "everyone", "USE_SCHEMA"),
        ("service_principal:0d2b7a51-9d5a-4c4e-9d1f-111111111111", "service_principal", "MODIFY"),
    ]
    assert [(p.principal, p.object_kind) for p in seen.rows("permissions")] == [
        ("group:admins", "target"),
        ("user:ann@acme.com", "target"),
    ]
    assert {(p.key, p.has_person) for p in seen.rows("principal_summary")} == {
        ("group:account users", True),
        ("service_principal:0d2b7a51-9d5a-4c4e-9d1f-111111111111", False),
        ("group:admins", None),
        ("user:ann@acme.com", True),
    }
