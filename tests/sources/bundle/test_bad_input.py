"""Bundles that cannot be read: a gap with path and line, the rest judged."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from tests.running import held_to_rights, run, write

from lakewarden.sources.repository.bundle.tables import FILLS
from lakewarden.sources.tree import MAX_BYTES

if TYPE_CHECKING:
    from pathlib import Path

GOOD = "bundle: {name: good}\ntargets: {prod: {mode: production}}\n"
BOMB = "a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 10)}]\n" for i in range(9)
)
BROKEN = {
    "syntax": (b"bundle: {name: b}\nx: [1\ny: 2\n", "databricks.yml:3:"),
    "alias bomb": (BOMB.encode(), "databricks.yml:6:"),
    "deep nesting": (b"[" * 1000, "databricks.yml:1:"),
    "deep blocks": ("\n".join(" " * n + "a:" for n in range(1000)).encode(), "databricks.yml:201:"),
    "binary": (bytes(range(256)) * 4, "databricks.yml is not UTF-8 (line"),
    "latin": ("bundle: {name: café}\n".encode("latin-1"), "databricks.yml is not UTF-8 (line 1"),
    "utf-16": ("bundle: {name: b}\n".encode("utf-16"), "databricks.yml is UTF-16"),
    "two documents": (b"bundle: {name: b}\n---\ntargets: {}\n", "databricks.yml:2:"),
    "a list": (b"- bundle\n", "databricks.yml:1:1: a bundle file is a mapping"),
    "a word": (b"bundle\n", "databricks.yml:1:1: a bundle file is a mapping"),
    "template": (b"bundle:\n  name: {{.name}}\n", "databricks.yml:2:"),
    "too large": (b"#" * (MAX_BYTES + 1), "databricks.yml is larger than"),
    "own alias": (b"bundle: &b {name: *b}\n", "databricks.yml:1:"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_root_file_that_cannot_be_read(read: Any, what: str) -> None:
    content, reason = BROKEN[what]
    begin = time.process_time()
    seen = read({"bad/databricks.yml": content, "good/databricks.yml": GOOD})
    assert time.process_time() - begin < 10
    told = seen.gaps(lists=True)
    assert {g.facts for g in told} == FILLS
    assert {(g.cause.value, g.project) for g in told} == {("failed", "bad")}
    assert {g.origin.path for g in told} == {"bad/databricks.yml"}
    assert told[0].reason.startswith(f"bad/{reason}")
    assert "\n" not in told[0].reason
    assert [t.key for t in seen.rows("targets")] == ["good/prod"]
    assert seen.complete("jobs", "good")
    assert not any(seen.complete(table, "bad") for table in FILLS)


@pytest.mark.parametrize("what", BROKEN)
def test_an_included_file_that_cannot_be_read(read: Any, what: str) -> None:
    content, reason = BROKEN[what]
    start = "bundle: {name: b}\ninclude: [r/*.yml]\ntargets: {prod: {}}\nresources: {jobs: {j: {}}}\n"
    seen = read({"databricks.yml": start, "r/broken.yml": content})
    told = seen.gaps(lists=True)
    assert {g.facts for g in told} == FILLS
    assert {g.cause.value for g in told} == {"failed"}
    assert told[0].reason.startswith(f"r/{reason}".replace("databricks", "broken"))
    assert [row.key for row in seen.rows("jobs")] == ["b/prod/jobs.j"], "what was read stays"


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("bundle: {name: b}\ntargets: [prod]\n", 2, "`targets` has to be a mapping"),
        ("bundle: {name: b}\ntargets: prod\n", 2, "`targets` has to be a mapping"),
        ("bundle: {name: b}\nenvironments: [prod]\n", 2, "`environments` has to be a mapping"),
        ("bundle: {name: b}\ntargets:\n  prod: production\n", 3, "target prod has to be a mapping"),
        ("bundle: {name: b}\ninclude: r/*.yml\ntargets: {prod: {}}\n", 2, "`include` has to be a list"),
        ("bundle: {name: b}\ninclude:\n- {path: r.yml}\ntargets: {prod: {}}\n", 3, "an entry of `include` has to be a path"),
        ("bundle: {name: b}\ninclude:\n- r.yml\n-\ntargets: {prod: {}}\n", 4, "an entry of `include` has to be a path"),
        ("bundle: {name: b}\ninclude: [r.yml]\n", 1, "target prod has to be a mapping"),
    ],
)
def test_a_section_of_the_wrong_kind_loses_what_it_was_meant_to_hold(read: Any, text: str, line: int, what: str) -> None:
    seen = read({"databricks.yml": text, "r.yml": "targets: {prod: [1]}\n" if "[r.yml]" in text else "resources: {}\n"})
    told = seen.gaps(lists=True)
    assert {g.facts for g in told} == FILLS
    assert {(g.cause.value, g.origin.line) for g in told} == {("failed", line)}
    assert told[0].reason.endswith(f":{line}: {what}")
    assert seen.column("targets", "name") in ([], ["prod"])


@pytest.mark.parametrize("text", ["resources: {jobs: {j: {}}}\n", "bundle:\nresources: {}\n", "{}\n"])
def test_a_root_file_without_bundle_and_targets_is_a_gap(read: Any, text: str) -> None:
    seen = read(text)
    assert {g.facts for g in seen.gaps(lists=True)} == FILLS
    assert seen.gaps()[0].reason == "databricks.yml: it declares neither `bundle` nor `targets`"
    included = read({"databricks.yml": "include: [b.yml]\n", "b.yml": "bundle: {name: b}\n"})
    assert included.gaps() == []
    assert included.column("targets", "name") == ["default"]


@pytest.mark.parametrize(
    ("text", "tables", "parent"),
    [
        ("resources: [1]", {"jobs", "tasks", "permissions", "config_refs", "catalogs"}, None),
        ("resources: {jobs: [1]}", {"jobs", "tasks", "permissions", "config_refs", "experiments"}, None),
        ("resources: {jobs: {j: text}}", {"jobs", "tasks"}, None),
        ("resources: {jobs: '${var.x}'}", {"jobs", "tasks", "permissions", "config_refs", "experiments"}, None),
        ("resources: {jobs: {j: {tasks: {a: 1}}}}", {"tasks"}, "b/prod/jobs.j"),
        ("resources: {jobs: {j: {tasks: [text]}}}", {"tasks"}, "b/prod/jobs.j"),
        ("resources: {jobs: {j: {tasks: [{task_key: t, notebook_task: 1}]}}}", {"tasks"}, "b/prod/jobs.j"),
        (
            "resources: {jobs: {j: {tasks: [{task_key: t, dbt_task: {}, libraries: {pypi: x}}]}}}",
            {"task_libraries"},
            "b/prod/jobs.j/t",
        ),
        ("resources: {jobs: {j: {tasks: [{task_key: t, dbt_task: {}, libraries: [x]}]}}}", {"task_libraries"}, "b/prod/jobs.j/t"),
        (
            "resources: {jobs: {j: {tasks: [{task_key: t, dbt_task: {}, libraries: [{pypi: x}]}]}}}",
            {"task_libraries"},
            "b/prod/jobs.j/t",
        ),
        (
            "resources: {jobs: {j: {tasks: [{task_key: t, dbt_task: {}, libraries: [{conda: x}]}]}}}",
            {"task_libraries"},
            "b/prod/jobs.j/t",
        ),
        ("resources: {jobs: {j: {tasks: [{task_key: t, dbt_task: {}, depends_on: x}]}}}", {"task_upstream"}, "b/prod/jobs.j/t"),
        (
            "resources: {jobs: {j: {tasks: [{task_key: t, notebook_task: {notebook_path: x.py, base_parameters: x}}]}}}",
            {"task_params"},
            "b/prod/jobs.j/t",
        ),
        ("resources: {jobs: {j: {parameters: {a: b}}}}", {"job_params", "task_params"}, "b/prod/jobs.j"),
        ("resources: {jobs: {j: {environments: {a: b}}}}", {"task_params", "task_libraries"}, None),
        ("resources: {pipelines: {p: {libraries: [x]}}}", {"tasks"}, "b/prod/pipelines.p"),
        ("resources: {pipelines: {p: {libraries: [{dbt: {}}]}}}", {"tasks"}, "b/prod/pipelines.p"),
        ("resources: {model_serving_endpoints: {e: {config: [1]}}}", {"served_entities"}, None),
        ("resources: {model_serving_endpoints: {e: {config: {served_entities: [1]}}}}", {"served_entities"}, None),
        ("resources: {schemas: {s: {catalog_name: c, name: s, grants: [1]}}}", {"grants", "effective_grants"}, "b/prod/c.s"),
        ("resources: {schemas: {s: {catalog_name: c, name: s, grants: {a: 1}}}}", {"grants", "effective_grants"}, "b/prod/c.s"),
        (
            "resources: {schemas: {s: {catalog_name: c, name: s, grants: [{principal: g, privileges: SELECT}]}}}",
            {"grants", "effective_grants"},
            "b/prod/c.s",
        ),
        ("permissions: [1]", {"permissions"}, None),
        ("resources: {jobs: {j: {permissions: {a: 1}}}}", {"permissions"}, None),
    ],
)
def test_a_list_or_map_of_the_wrong_kind_is_a_gap_where_it_stands(
    read: Any, text: str, tables: set[str], parent: str | None
) -> None:
    seen = read({"databricks.yml": f"bundle: {{name: b}}\ntargets: {{prod: {{}}}}\n{text}\n", "x.py": ""})
    told = [g for g in seen.gaps(lists=True) if g.parent == parent]
    assert tables <= {g.facts for g in told}
    assert {(g.cause.value, g.origin.line) for g in told} == {("unresolved", 3)}


@pytest.mark.parametrize(
    ("section", "columns"),
    [
        ("workspace", ("host", "profile", "root_path")),
        ("presets", ("name_prefix", "trigger_pause_status", "pipelines_development")),
        ("experimental", ("records_history",)),
        ("git", ("git_branch",)),
        ("run_as", ("run_as_kind", "run_as")),
    ],
)
@pytest.mark.parametrize("value", ["'${var.x}'", "text", "[1]"])
def test_a_section_of_a_target_that_cannot_be_told_leaves_its_values_unknown(
    read: Any, section: str, columns: tuple[str, ...], value: str
) -> None:
    job = "resources: {jobs: {j: {name: j, schedule: {}}}, pipelines: {p: {}}}"
    of_target = "targets:\n  prod:\n    " if section != "experimental" else "targets:\n  prod: {}\n"
    seen = read(f"bundle: {{name: b}}\nvariables: {{x: {{}}}}\n{job}\n{of_target}{section}: {value}\n")
    target = seen.target("prod")
    assert {column: getattr(target, column) for column in columns} == dict.fromkeys(columns)
    assert {(g.value, g.origin.line) for g in seen.gaps("targets")} == {(True, 6)}
    if section == "presets":
        assert seen.one("jobs", kind="pipeline").development is None
        assert seen.one("jobs", kind="job").pause_status is None
    if section == "workspace":
        assert [(row.name, row.path_place) for row in seen.rows("target_paths")] == [
            (name, None) for name in ("root_path", "file_path", "state_path", "artifact_path")
        ]


def test_where_the_mode_is_not_known_nothing_that_it_decides_is(read: Any) -> None:
    seen = read(
        """
        bundle: {name: b}
        variables: {x: {}}
        resources: {jobs: {j: {name: j, schedule: {}}}, pipelines: {p: {name: p}}}
        targets: {prod: {mode: '${var.x}'}}
        """
    )
    assert seen.column("jobs", "name") == [None, None]
    assert seen.one("jobs", kind="pipeline").development is None
    assert seen.one("jobs", kind="job").pause_status is None


@pytest.mark.parametrize("text", ["", "# only a comment\n", "null\n", "---\n"])
def test_an_empty_root_file_is_an_empty_bundle(read: Any, text: str) -> None:
    seen = read(text)
    assert seen.rows("targets") == []
    assert seen.gaps() == []
    assert seen.complete("targets", "repository")


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    write(tmp_path, {"databricks.yml": GOOD, "x.py": ""})
    (tmp_path / "databricks.yml").chmod(0)
    ran = run(tmp_path, *held_to_rights(), sys.executable, "-m", "lakewarden", "lint", "--output-format", "json")
    (told,) = [gap for gap in ran.json["gaps"] if gap["scope"] == "databricks.yml"]
    assert (told["class"], told["reason"]) == ("failed", "databricks.yml cannot be read: permission denied")
    assert "ENV001" in told["affected"]
    assert ran.code == 3


def test_a_byte_order_mark_and_windows_lines(read: Any) -> None:
    seen = read(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert seen.target("prod").mode == "production"
    assert seen.target("prod").origin.line == 2


@pytest.mark.parametrize(
    ("text", "line", "tables"),
    [
        ("resources: {jobs: {a: {}}}\nresources: {jobs: {b: {}}}\n", 4, {"jobs", "tasks", "grants"}),
        ("resources:\n  jobs:\n    a: {x: 1}\n    a: {y: 1}\n", 6, {"jobs", "tasks"}),
        (
            "resources:\n  jobs:\n    a:\n      permissions: [{group_name: a}]\n      permissions: [{group_name: b}]\n",
            7,
            {"permissions"},
        ),
        ("resources:\n  schemas:\n    a:\n      grants: []\n      grants: []\n", 7, {"grants", "effective_grants"}),
        ("x:\n  a: {}\n  a: {}\n", 5, {"targets", "jobs"}),
    ],
)
def test_a_block_that_stands_twice_loses_what_the_first_held(read: Any, text: str, line: int, tables: set[str]) -> None:
    seen = read("bundle: {name: b}\ntargets: {prod: {}}\n" + text)
    told = seen.gaps(lists=True)
    assert tables <= {g.facts for g in told}
    assert {(g.cause.value, g.origin.line) for g in told} == {("failed", line)}
    if "permissions" in text:
        assert {g.facts for g in told} == {"permissions", "principal_summary"}


def test_a_value_that_stands_twice_is_told_and_the_later_counts(read: Any) -> None:
    seen = read("bundle: {name: b}\ntargets:\n  prod:\n    mode: development\n    mode: production\n")
    assert seen.target("prod").mode == "production"
    assert [(g.cause.value, g.value, g.origin.line) for g in seen.gaps()] == [("failed", True, 5)]
    assert "databricks.yml:5:5: key mode stands here for the second time (first: line 4)" in seen.gaps()[0].reason
    assert seen.complete("targets", "b")


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ("x: {default: '${var.x}'}", "refers to itself"),
        ("x: {default: '${var.y}'}, y: {default: '${var.x}'}", "refers to itself"),
        ("x: {default: 'a${var.y}b'}, y: {default: '${var.z}'}, z: {default: '-${var.y}'}", "refers to itself"),
        ("x: {default: '${var.y.a}'}, y: {default: {a: '${var.x}'}}", "refers to itself"),
        ("x: {}", "has no value in target prod"),
        ("x: ", "has no value in target prod"),
        ("x: {lookup: {warehouse: w}}", "is looked up in the workspace"),
        ("y: {default: 1}", "variable x is not declared"),
        ("x: {default: '${bundle.nothing}'}", "is known when the bundle is deployed"),
        ("x: {default: '${nothing.here}'}", "refers to nothing in the bundle"),
        ("x: {default: '${resources.jobs.none.id}'}", "refers to no resource of the bundle"),
        ("x: {default: '${resources.jobs.j.id}'}", "is known when the bundle is deployed"),
        ("x: {default: [1, 2]}", "is a map or a list"),
        ("x: {default: '${var.y.c}'}, y: {default: {a: 1}}", "refers to nothing in variable y"),
        (f"x: {{default: '{'${var.y}' * 8}'}}, y: {{default: {'a' * 9000}}}", "it grows beyond"),
    ],
)  # fmt: skip
def test_a_variable_that_cannot_be_told_is_null_and_a_gap(read: Any, declared: str, reason: str) -> None:
    seen = read(
        f"bundle: {{name: b}}\nvariables: {{{declared}}}\nresources: {{jobs: {{j: {{}}}}}}\ntargets:\n  prod:\n    workspace:\n      profile: p-${{var.x}}\n"
    )
    assert seen.target("prod").profile is None
    told = seen.gaps("targets")
    assert [(g.cause.value, g.value, g.origin.path, g.origin.line) for g in told] == [("unresolved", True, "databricks.yml", 7)]
    assert reason in told[0].reason
    assert told[0].reason.startswith("databricks.yml:7: ")


def test_a_long_chain_of_variables_ends(read: Any) -> None:
    chain = ", ".join(f"v{n}: {{default: '${{var.v{n + 1}}}'}}" for n in range(2000))
    seen = read(f"bundle: {{name: b}}\nvariables: {{{chain}}}\ntargets:\n  prod: {{workspace: {{profile: '${{var.v0}}'}}}}\n")
    assert seen.target("prod").profile is None
    assert "references follow each other" in seen.gaps("targets")[0].reason


def test_variables_that_double_end(read: Any) -> None:
    doubles = ", ".join(f"v{n}: {{default: '${{var.v{n + 1}}}${{var.v{n + 1}}}'}}" for n in range(30))
    seen = read(
        f"bundle: {{name: b}}\nvariables: {{{doubles}, v30: {{default: aaaa}}}}\ntargets:\n  prod: {{workspace: {{profile: '${{var.v0}}'}}}}\n"
    )
    assert seen.target("prod").profile is None


def test_all_variables_in_all_circles_end(read: Any) -> None:
    everything = "".join(f"${{var.v{n}}}" for n in range(40))
    circle = ", ".join(f"v{n}: {{default: '{everything}'}}" for n in range(40))
    begin = time.process_time()
    seen = read(f"bundle: {{name: b}}\nvariables: {{{circle}}}\ntargets:\n  prod: {{workspace: {{profile: '${{var.v0}}'}}}}\n")
    assert seen.target("prod").profile is None
    assert time.process_time() - begin < 10


@pytest.mark.parametrize(
    "text",
    [
        "targets: [prod]",
        "targets: prod",
        "targets: {prod: [1]}",
        "targets: {prod: text}",
        "resources: [1]",
        "resources: {jobs: [1]}",
        "resources: {jobs: {j: [1]}}",
        "resources: {jobs: {j: {tasks: {a: 1}}}}",
        "resources: {jobs: {j: {tasks: [1, [2], null]}}}",
        "resources: {jobs: {j: {name: [1], max_concurrent_runs: many, schedule: 1, git_source: 1, run_as: 1, parameters: 1}}}",
        "variables: [1]",
        "variables: {x: [1]}",
        "permissions: {a: 1}",
        "permissions: [1]",
        "workspace: 1",
        "workspace: {host: {a: 1}}",
        "include: text",
        "include: {a: 1}",
        "include: [[1], null, {a: b}]",
        "presets: 1",
        "git: 1",
        "bundle: 1",
        "python: 1",
        "experimental: [1]",
        "resources: {schemas: {s: {grants: [1, {principal: [1], privileges: 1}, {privileges: [[1]]}]}}}",
        "resources: {model_serving_endpoints: {e: {config: [1]}, f: {config: {served_entities: [1, {}]}}}}",
        "resources: {pipelines: {p: {libraries: [1, {notebook: 1}, {file: {}}, {}], configuration: [1]}}}",
        "resources: {jobs: {j: {tasks: [{notebook_task: 1}, {for_each_task: {task: 1}}, {depends_on: 1}, {libraries: [1, {pypi: 1}, {whl: [1]}]}]}}}",
    ],
)
def test_values_of_the_wrong_kind_are_no_crash(read: Any, text: str) -> None:
    start = "" if text.startswith("bundle") else "bundle: {name: b}\n"
    more = "" if text.startswith("targets") else "\ntargets: {prod: {}}\n"
    seen = read(start + text + more)
    assert len(seen.layout.bundles) == 1
