"""Properties: of merging, of references, and of reading anything at all."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lakewarden.sources.repository.bundle.merge import fold, merge, override
from lakewarden.sources.repository.bundle.references import Resolver
from lakewarden.sources.tree import Tree
from lakewarden.sources.yaml_nodes import List, Map, Node, Scalar, compose

if TYPE_CHECKING:
    from collections.abc import Callable

FAST = settings(max_examples=120, deadline=None)


def node(value: Any) -> Map:
    found = compose(yaml.safe_dump(value), "f.yml").root
    return found if isinstance(found, Map) else Map("f.yml", 1, 1, 1)


def plain(value: Node | None) -> Any:
    if isinstance(value, Map):
        return {key: plain(inner) for key, inner in value.items.items()}
    if isinstance(value, List):
        return [plain(inner) for inner in value.items]
    return value.value if isinstance(value, Scalar) else None


# One key holds values of one kind, as in a bundle: m… maps, l… lists, s… single values.
CONFIGURATIONS = st.recursive(
    st.dictionaries(st.sampled_from(["s1", "s2", "s3"]), st.integers(0, 9), max_size=3),
    lambda inner: (
        st.dictionaries(st.sampled_from(["m1", "m2"]), inner, max_size=2)
        | st.dictionaries(st.sampled_from(["l1", "l2"]), st.lists(inner, max_size=3), max_size=2)
    ),
    max_leaves=8,
)


@FAST
@given(CONFIGURATIONS, CONFIGURATIONS, CONFIGURATIONS)
def test_merging_is_associative_and_changes_nothing_that_it_reads(a: Any, b: Any, c: Any) -> None:
    na, nb, nc = node(a), node(b), node(c)
    assert plain(merge(merge(na, nb), nc)) == plain(merge(na, merge(nb, nc)))
    assert (plain(na), plain(nb), plain(nc)) == (a, b, c)


@FAST
@given(CONFIGURATIONS)
def test_nothing_and_null_change_nothing(a: Any) -> None:
    empty, null = node({}), Scalar("f", 1, 1, 1, "")
    assert plain(merge(node(a), empty)) == a
    assert plain(merge(empty, node(a))) == a
    assert plain(merge(node(a), null)) == a
    assert plain(merge(null, node(a))) == a


@FAST
@given(CONFIGURATIONS, CONFIGURATIONS)
def test_no_key_is_lost_and_the_later_value_counts(a: Any, b: Any) -> None:
    merged = plain(merge(node(a), node(b)))
    assert merged.keys() == a.keys() | b.keys()
    for key in merged:
        if key.startswith("s"):
            assert merged[key] == b.get(key, a.get(key))
        if key.startswith("l"):
            assert merged[key] == a.get(key, []) + b.get(key, [])


TASKS = st.lists(
    st.fixed_dictionaries(
        {"task_key": st.sampled_from("abc")},
        optional={"max_retries": st.integers(0, 3), "libraries": st.lists(st.integers(0, 3), max_size=2)},
    ),
    max_size=6,
)


@FAST
@given(TASKS)
def test_folding_keeps_each_name_once_and_loses_no_item(tasks: Any) -> None:
    items = node({"tasks": tasks}).items["tasks"]
    assert isinstance(items, List)
    folded = [plain(item) for item in fold(items.items, "task_key")]
    assert [task["task_key"] for task in folded] == list(dict.fromkeys(task["task_key"] for task in tasks))
    for task in folded:
        same = [other for other in tasks if other["task_key"] == task["task_key"]]
        assert task.get("libraries", []) == [item for other in same for item in other.get("libraries", [])]
        given_retries = [other["max_retries"] for other in same if "max_retries" in other]
        assert task.get("max_retries") == (given_retries[-1] if given_retries else None)
    assert [plain(item) for item in fold(fold(items.items, "task_key"), "task_key")] == folded


@FAST
@given(CONFIGURATIONS, CONFIGURATIONS, CONFIGURATIONS)
def test_a_target_adds_to_what_merges_and_replaces_the_rest(root: Any, target: Any, other: Any) -> None:
    whole = node({"resources": root, "run_as": root, "experimental": root, "targets": {"t": other}})
    made = override(whole, node({"resources": target, "run_as": target, "experimental": target}))
    assert plain(made.get("resources")) == plain(merge(node(root), node(target)))
    assert plain(made.get("run_as")) == target
    assert plain(made.get("experimental")) == root
    assert made.get("targets") is None
    assert plain(override(whole, None)) == {"resources": root, "run_as": root, "experimental": root}


NAMES = [f"v{n}" for n in range(6)]
PARTS = st.lists(
    st.sampled_from(["a", "-", "${bundle.target}", *(f"${{var.{name}}}" for name in [*NAMES, "undeclared"])]), max_size=3
)
GRAPHS = st.dictionaries(st.sampled_from(NAMES), PARTS.map("".join), max_size=6)
_REFERENCE = re.compile(r"\$\{(?:var\.)?([\w.]+)\}")


def expected(graph: dict[str, str], text: str, above: tuple[str, ...] = ()) -> str | None:
    """The value by the definition: every reference replaced; none where one is in a circle or has no value."""
    out = []
    for part in re.split(r"(\$\{[^}]*\})", text):
        found = _REFERENCE.fullmatch(part)
        if found is None:
            out.append(part)
        elif found[1] == "bundle.target":
            out.append("prod")
        else:
            inner = None if found[1] in above or found[1] not in graph else expected(graph, graph[found[1]], (*above, found[1]))
            if inner is None:
                return None
            out.append(inner)
    return "".join(out)


@FAST
@given(GRAPHS, st.permutations(NAMES))
def test_references_come_to_what_their_definition_says_in_any_order(graph: dict[str, str], order: list[str]) -> None:
    variables = node({name: {"default": text} for name, text in graph.items()})
    resolver = Resolver(Map("f", 1, 1, 1), "prod", variables, None)
    for name in order:
        value = resolver.text(f"${{var.{name}}}")
        assert value.text == expected(graph, f"${{var.{name}}}")
        assert (value.problem is None) == (value.text is not None)


@FAST
@given(GRAPHS, GRAPHS)
def test_what_a_target_assigns_replaces_the_default(graph: dict[str, str], assigned: dict[str, str]) -> None:
    declared = node({name: {"default": text} for name, text in graph.items()})
    plainly, as_default = node(assigned), node({name: {"default": text} for name, text in assigned.items()})
    for form in (plainly, as_default):
        resolver = Resolver(Map("f", 1, 1, 1), "prod", declared, form)
        for name in NAMES:
            assert resolver.text(f"${{var.{name}}}").text == expected({**graph, **assigned}, f"${{var.{name}}}")


@FAST
@given(st.text("ab${}.[0]var bundletarget_", max_size=40))
def test_any_text_is_resolved_or_refused(text: str) -> None:
    value = Resolver(
        node({"bundle": {"name": "n"}}), "prod", node({"a": {"default": "${var.b}"}, "b": {"default": ["x"]}}), None
    ).text(text)
    assert (value.text is None) == (value.problem is not None)
    if "${" not in text:
        assert value.text == text
    assert value.text is None or not re.search("[\ue000\ue001]", value.text)


WORDS = st.sampled_from(
    [
        "bundle", "name", "targets", "environments", "prod", "dev", "workspace", "host", "root_path", "run_as", "user_name", "resources",
        "jobs", "pipelines", "tasks", "task_key", "depends_on", "notebook_task", "notebook_path", "base_parameters", "parameters", "default",
        "variables", "lookup", "catalog", "schema", "schemas", "grants", "principal", "privileges", "registered_models", "catalog_name",
        "permissions", "level", "include", "libraries", "pypi", "package", "experiments", "for_each_task", "task", "new_cluster", "git",
        "branch", "presets", "name_prefix", "mode", "python", "model_serving_endpoints", "config", "served_entities", "entity_name",
        "environments", "environment_key", "spec", "dependencies", "job_clusters", "x", "configuration", "table_name",
    ]
)  # fmt: skip
VALUES = st.sampled_from(
    [
        None, True, 1, "", "prod", "development", "a.b.c", "${var.x}", "${var.y}-z", "${bundle.target}", "${resources.jobs.x.id}", "users",
        "ann@acme.com", "/Users/ann@acme.com/x", "../x.py", "*.yml", "-r x.txt", "{{job.id}}", "${workspace.current_user.userName}", "x",
    ]
)  # fmt: skip
ANYTHING = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5), max_leaves=40
)
_LIKELY = st.fixed_dictionaries(
    {"bundle": st.fixed_dictionaries({"name": VALUES})},
    optional={
        "targets": st.dictionaries(WORDS, ANYTHING, max_size=3),
        "variables": st.dictionaries(st.sampled_from(["x", "y", "catalog"]), ANYTHING, max_size=3),
        "resources": st.dictionaries(
            st.sampled_from(["jobs", "pipelines", "schemas", "registered_models", "experiments", "model_serving_endpoints"]),
            st.dictionaries(WORDS, st.dictionaries(WORDS, ANYTHING, max_size=5), max_size=3),
            max_size=3,
        ),
        "permissions": ANYTHING,
        "include": ANYTHING,
        "run_as": ANYTHING,
    },
)


@settings(max_examples=200, deadline=None)
@given(_LIKELY | st.dictionaries(WORDS, ANYTHING, max_size=6), ANYTHING)
def test_any_tree_is_read(see: Callable[..., Any], root: Any, included: Any) -> None:
    files = {"databricks.yml": yaml.safe_dump(root), "x.yml": yaml.safe_dump(included), "x.py": ""}
    seen = see(Tree.of_files(Path("r"), files))
    for gap in seen.gaps():
        assert gap.reason
        assert "\n" not in gap.reason
        assert gap.value or not seen.complete(gap.facts, str(gap.project)) or gap.parent is not None
    named = {row.key for row in seen.rows("targets")}
    for table in ("jobs", "experiments", "target_catalogs", "config_refs", "permissions"):
        assert {row.target for row in seen.rows(table)} <= named
    jobs = {row.key for row in seen.rows("jobs")}
    assert {row.job for row in seen.rows("tasks")} <= jobs
    tasks = {row.key for row in seen.rows("tasks")}
    assert {row.task for row in seen.rows("task_params")} <= tasks
    assert {row.upstream for row in seen.rows("task_upstream")} <= tasks
    again = see(Tree.of_files(Path("elsewhere"), files))
    assert [row.__dict__ for row in again.rows("targets")] == [row.__dict__ for row in seen.rows("targets")]
    assert again.facts.gaps == seen.facts.gaps


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damage_never_hides_a_target_without_a_gap(see: Callable[..., Any], data: st.DataObject) -> None:
    files = {
        "databricks.yml": b"bundle: {name: b}\ninclude: [t.yml, r/j.yml]\ntargets: {dev: {}}\n",
        "t.yml": b"targets:\n  prod:\n    mode: production\n    run_as: {user_name: ann@acme.com}\n",
        "r/j.yml": b"resources:\n  jobs:\n    j: {name: train, tasks: [{task_key: t, notebook_task: {notebook_path: ../t.py}}]}\n",
        "t.py": b"print()\n",
    }
    whole = {(row.table, row.key) for rows in see(Tree.of_files(Path("r"), files)).facts.rows.values() for row in rows}
    victim = data.draw(st.sampled_from(sorted(files)))
    content = files.pop(victim)
    how = data.draw(st.sampled_from(["delete", "bytes", "break"]))
    if how == "bytes":
        files[victim] = b"\xff\xfe\xfa" + content
    elif how == "break":
        files[victim] = content + b"\n}: [\n"
    seen = see(Tree.of_files(Path("r"), files))
    left = {(row.table, row.key) for rows in seen.facts.rows.values() for row in rows}
    if victim == "databricks.yml" and how == "delete":
        return  # nothing says that there was a bundle
    if whole - left:
        assert any(victim in gap.reason for gap in seen.gaps())
