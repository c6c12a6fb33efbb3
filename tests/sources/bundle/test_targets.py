from __future__ import annotations

from typing import Any

import pytest

APPLICATION = "0d2b7a51-9d5a-4c4e-9d1f-111111111111"


@pytest.mark.parametrize(
    ("root", "target", "kind", "name"),
    [
        ("", "", "deployer", "none"),
        ("run_as: {user_name: ann@acme.com}", "", "user", "ann@acme.com"),
        (
            "run_as: {user_name: ann@acme.com}",
            f"run_as: {{service_principal_name: {APPLICATION}}}",
            "service_principal",
            APPLICATION,
        ),
        ("run_as: {service_principal_name: x}", "run_as: {user_name: bob@acme.com}", "user", "bob@acme.com"),
        ("run_as: {user_name: ann@acme.com}", "run_as:", "user", "ann@acme.com"),
        ("", "run_as: {group_name: ml}", "group", "ml"),
        ("", "run_as: {service_principal_name: '${var.sp}'}", "service_principal", None),
        ("variables: {r: {type: complex, default: {user_name: a@b.c}}}", "run_as: '${var.r}'", "user", "a@b.c"),
        ("", "run_as: '${var.unset}'", None, None),
        ("", "run_as: {user_name: '${workspace.current_user.userName}'}", "user", "${workspace.current_user.userName}"),
    ],
)
def test_run_as_is_replaced_by_the_target(read: Any, root: str, target: str, kind: str | None, name: str | None) -> None:
    seen = read(f"bundle: {{name: b}}\n{root}\ntargets:\n  prod:\n    mode: production\n    {target}\n")
    assert (seen.target("prod").run_as_kind, seen.target("prod").run_as) == (kind, name)
    assert bool(seen.gaps("targets")) == (name is None)


@pytest.mark.parametrize(
    ("root", "target", "branch"),
    [
        ("", "", "none"),
        ("", "git: {branch: release}", "release"),
        ("", "bundle: {git: {branch: release}}", "release"),
        ("bundle: {name: b, git: {branch: main}}", "", "main"),
        ("bundle: {name: b, git: {branch: main}}", "git: {branch: release}", "release"),
        ("git: {branch: main}", "", "main"),
        ("", "git: {branch: 1.0}", "1.0"),
        ("variables: {b: {default: rel}}", "git: {branch: '${var.b}'}", "rel"),
        ("", "git: {branch: '${bundle.git.branch}'}", "none"),
        ("", "git: {branch: '${var.unset}'}", None),
        ("", "git:", "none"),
    ],
)
def test_the_branch_that_a_target_pins(read: Any, root: str, target: str, branch: str | None) -> None:
    start = "" if root.startswith("bundle") else "bundle: {name: b}\n"
    assert read(f"{start}{root}\ntargets:\n  prod:\n    mode: production\n    {target}\n").target("prod").git_branch == branch


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/Users/ann@acme.com/x", "person"),
        ("/Workspace/Users/ann@acme.com/.bundle/b", "person"),
        ("/Workspace/Users/first.last/.bundle/b", "person"),
        ("/Repos/ann@acme.com/x", "person"),
        ("/Repos/production/x", "other"),
        (f"/Workspace/Users/{APPLICATION}/x", "service_principal"),
        ("~/.bundle/${bundle.name}", "deployer"),
        ("/Workspace/Users/${workspace.current_user.userName}/x", "deployer"),
        ("/Workspace/teams/${workspace.current_user.short_name}/x", "deployer"),
        ("/Workspace/Shared/${workspace.current_user.userName}/x", "everyone"),
        ("/Shared/b", "everyone"),
        ("/Workspace/prod/b", "other"),
        ("/Workspace/Users/${var.unset}/b", None),
    ],
)
def test_whose_the_deployment_root_is(read: Any, path: str, place: str | None) -> None:
    row = read(f"bundle: {{name: b}}\ntargets:\n  prod:\n    workspace: {{root_path: '{path}'}}\n").one(
        "target_paths", name="root_path"
    )
    assert row.path_place == place
    assert row.origin.line == 4
    if place is not None:
        assert row.path == path.replace("${bundle.name}", "b")
    else:
        assert row.path is None


def test_paths_that_are_not_set(read: Any) -> None:
    seen = read("bundle: {name: b}\ntargets:\n  prod:\n    workspace: {state_path: '${workspace.root_path}/s'}\n")
    rows = {row.name: (row.path, row.path_place) for row in seen.rows("target_paths")}
    home = "/Workspace/Users/${workspace.current_user.userName}/.bundle/b/prod"
    assert rows == {"root_path": ("none", "deployer"), "state_path": (f"{home}/s", "deployer")}
    assert seen.target("prod").root_path == "none"


def test_presets(read: Any) -> None:
    seen = read(
        """
        bundle: {name: b}
        presets: {name_prefix: "${bundle.target}_", pipelines_development: true}
        experimental: {record_deployment_history: yes}
        resources:
          jobs:
            a: {name: train, schedule: {quartz_cron_expression: x}}
            b: {trigger: {periodic: {}, pause_status: UNPAUSED}}
          pipelines: {p: {name: etl}, q: {name: etl, development: false}}
          experiments: {e: {name: /Shared/x/churn}}
        targets:
          dev: {presets: {trigger_pause_status: PAUSED}}
          prod: {presets: {pipelines_development: off}}
        """
    )
    dev, prod = seen.target("dev"), seen.target("prod")
    assert (dev.name_prefix, dev.trigger_pause_status, dev.pipelines_development, dev.records_history) == (
        "dev_",
        "PAUSED",
        True,
        True,
    )
    assert (prod.name_prefix, prod.trigger_pause_status, prod.pipelines_development) == ("prod_", "none", False)
    jobs = {row.key: (row.name, row.pause_status, row.development) for row in seen.rows("jobs")}
    assert jobs["b/dev/jobs.a"] == ("dev_train", "PAUSED", False)
    assert jobs["b/dev/jobs.b"] == ("dev_b", "UNPAUSED", False)
    assert jobs["b/prod/jobs.a"] == ("prod_train", "UNPAUSED", False)
    assert jobs["b/dev/pipelines.p"] == ("dev_etl", "none", True)
    assert jobs["b/dev/pipelines.q"] == ("dev_etl", "none", False)
    assert jobs["b/prod/pipelines.p"] == ("prod_etl", "none", False)
    assert seen.column("experiments", "path") == ["/Shared/x/dev_churn", "/Shared/x/prod_churn"]


def test_development_mode_prefixes_names_and_pauses(read: Any) -> None:
    seen = read(
        """
        bundle: {name: b}
        resources:
          jobs: {a: {name: train, schedule: {}}}
          pipelines: {p: {name: etl}}
          experiments: {e: {name: "/Users/${workspace.current_user.userName}/churn"}}
        targets: {dev: {mode: development}}
        """
    )
    prefix = "[dev ${workspace.current_user.short_name}] "
    job = seen.one("jobs", kind="job")
    assert (job.name, job.pause_status) == (f"{prefix}train", "PAUSED")
    assert seen.one("jobs", kind="pipeline").development is True
    experiment = seen.one("experiments")
    assert experiment.path == f"/Users/${{workspace.current_user.userName}}/{prefix}churn"
    assert experiment.path_place == "deployer"


def test_the_older_key_environments(read: Any) -> None:
    seen = read(
        "bundle: {name: b}\nenvironments:\n  production:\n    mode: production\nresources: {jobs: {j: {name: '${bundle.environment}'}}}\n"
    )
    assert seen.target("production").mode == "production"
    assert seen.one("jobs").name == "production"


def test_a_bundle_without_targets_has_one(read: Any) -> None:
    target = read("bundle: {name: b}\nworkspace: {host: https://adb-1.azuredatabricks.net}\n").one("targets")
    assert (target.name, target.is_default, target.origin.line) == ("default", True, 1)


def test_a_default_that_cannot_be_told(read: Any) -> None:
    seen = read("bundle: {name: b}\ntargets: {dev: {default: perhaps}, prod: {}}\n")
    assert seen.target("dev").is_default is None
    assert "neither true nor false" in seen.gaps("targets")[0].reason


def test_what_has_no_form_for_one_target_is_not_read_there(read: Any) -> None:
    seen = read("bundle: {name: b}\ntargets:\n  prod:\n    experimental: {record_deployment_history: true}\n")
    assert seen.target("prod").records_history is False


def test_origins_of_targets_and_of_what_they_override(read: Any) -> None:
    seen = read(
        """
        bundle: {name: b}
        resources:
          jobs:
            a:
              name: train
              run_as: {user_name: ann@acme.com}
              tasks:
              - task_key: t
                max_retries: 1
                notebook_task: {notebook_path: /Shared/a, base_parameters: {x: 1, y: 1}}
        targets:
          prod:
            resources:
              jobs:
                a:
                  tasks:
                  - task_key: t
                    max_retries: 3
                    notebook_task: {base_parameters: {x: 2}}
        """
    )
    assert seen.target("prod").origin[1:4] == (13, 3, 20)
    assert seen.target("prod").origin.pointer == "targets.prod"
    task = seen.one("tasks")
    assert (task.max_retries, task.origin.line) == (3, 9)
    lines = {p.key.rpartition("/")[2]: p.origin.line for p in seen.rows("task_params")}
    assert lines == {"x": 20, "y": 11}
