"""The store: places, closures, and gaps that become placeholder rows."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import lakewarden.facts.model
from lakewarden.errors import SourceError
from lakewarden.facts.collect import Facts
from lakewarden.facts.fact import TABLES
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.targets import Target, TargetCatalog, TargetPath
from lakewarden.facts.model.workloads import Job, Task
from lakewarden.facts.origin import Origin
from lakewarden.facts.store import Prepared, prepare
from lakewarden.policy.load import load
from lakewarden.policy.model import Policy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lakewarden.facts.placeholders import Row

FILLED = frozenset({"targets", "target_paths", "jobs", "tasks"})


def churn(*names: str) -> Facts:
    facts = Facts()
    for name in names:
        facts.add(Target(key=f"churn/{name}", project="churn", project_key="churn", name=name, mode="production", host="none"))
    return facts


def prepared(facts: Facts, *needed: str) -> Prepared:
    return prepare(facts, Policy(), filled=FILLED, needed=frozenset(needed))


def gaps_in(rows: Iterable[Row]) -> list[str]:
    return [row["key"] for row in rows if row["gap"] is not None]


def test_rows_get_their_stage_by_the_name_of_the_target() -> None:
    facts = churn("dev", "prod", "blue")
    with facts.listing("targets", project="churn"):
        pass
    rows = prepared(facts, "targets").rows["targets"]
    assert {row["name"]: row["stage"] for row in rows} == {"dev": "development", "prod": "production", "blue": None}


def test_a_target_that_nobody_claims_is_a_gap() -> None:
    facts = churn("blue")
    told = prepared(facts, "targets").gaps
    assert [gap.reason for gap in told if gap.cause is Cause.UNCLAIMED] == ["no environment claims target blue"]


def test_a_hole_under_something_that_is_no_parent_of_the_list_is_one_of_the_project() -> None:
    facts = churn("dev", "prod")
    with facts.listing("targets", "target_paths", project="churn"):
        pass
    facts.gap(Gap(Cause.UNRESOLVED, "target_paths", "who knows", project="churn", parent="churn/prod/jobs.train"))
    assert gaps_in(prepared(facts, "target_paths").rows["target_paths"]) == [
        "churn/dev/?target_paths",
        "churn/prod/?target_paths",
    ]
    facts.gaps[0] = facts.gaps[0]._replace(parent="churn/prod")
    assert gaps_in(prepared(facts, "target_paths").rows["target_paths"]) == ["churn/prod/?target_paths"]
    facts.gaps[0] = facts.gaps[0]._replace(project=None, parent="nobody")
    assert len(gaps_in(prepared(facts, "target_paths").rows["target_paths"])) == 2


def test_a_task_that_was_not_seen_under_its_job_was_not_seen_in_its_project() -> None:
    facts = churn("prod")
    facts.add(Job(key="churn/prod/jobs.train", project="churn", place="churn/prod", target="churn/prod"))
    with facts.listing("targets", "jobs", "tasks", project="churn"):
        pass
    facts.gap(Gap(Cause.UNRESOLVED, "tasks", "who knows", project="churn", parent="churn/prod/jobs.train"))
    rows = prepared(facts, "tasks").rows["tasks"]
    assert [(row["job"], row["project_key"]) for row in rows] == [("churn/prod/jobs.train", "churn")]


def test_a_placeholder_never_takes_the_key_of_what_was_seen() -> None:
    facts = churn("?targets", "?targets?")
    keys = [row["key"] for row in prepared(facts, "targets").rows["targets"]]
    assert keys == ["churn/?targets", "churn/?targets?", "churn/?targets??"]


def test_a_list_that_was_listed_has_no_placeholder() -> None:
    facts = churn("prod")
    with facts.listing("targets", "target_paths", project="churn"):
        facts.add(TargetPath(key="churn/prod/root_path", project="churn", target="churn/prod", name="root_path"))
    assert gaps_in(prepared(facts, "target_paths").rows["target_paths"]) == []


def test_a_list_that_nobody_said_to_be_complete_has_a_placeholder_under_each_parent() -> None:
    facts = churn("dev", "prod")
    with facts.listing("targets", project="churn"):
        pass
    rows = prepared(facts, "target_paths").rows["target_paths"]
    assert sorted((row["target"], row.get("path")) for row in rows) == [
        ("churn/dev", None),
        ("churn/prod", None),
    ]
    assert len(gaps_in(rows)) == 2


def test_an_exception_while_listing_is_a_gap_with_its_reason_and_the_rest_is_kept() -> None:
    facts = churn("prod")
    with facts.listing("targets", project="churn"):
        pass
    with facts.listing("target_paths", of="churn/prod", project="churn"):
        facts.add(TargetPath(key="churn/prod/root_path", project="churn", target="churn/prod", name="root_path"))
        raise SourceError("refused", "no right to read it", "GRANT …")
    ready = prepared(facts, "target_paths")
    seen, hidden = ready.rows["target_paths"]
    assert (seen["name"], seen["gap"]) == ("root_path", None)
    assert ready.gaps[hidden["gap"]].reason == "no right to read it"


def test_a_bug_while_listing_is_not_swallowed() -> None:
    facts = Facts()
    with pytest.raises(ZeroDivisionError), facts.listing("targets"):
        _ = 1 // 0
    assert facts.complete == set()


def test_placeholders_cascade_to_the_lists_of_an_object_that_was_not_seen() -> None:
    facts = Facts()
    facts.gap(Gap(Cause.FAILED, "jobs", "broken.yml does not parse", project="churn", origin=Origin("broken.yml")))
    with facts.listing("targets", "tasks", "jobs", project="churn"):
        facts.add(*churn("prod").rows["targets"])
    ready = prepared(facts, "jobs", "tasks")
    (job,) = ready.rows["jobs"]
    (task,) = ready.rows["tasks"]
    assert ready.gaps[job["gap"]].reason == "broken.yml does not parse"
    assert task["job"] == job["key"]
    assert task["gap"] == job["gap"]


def test_an_object_that_another_fact_names_gets_a_placeholder_of_its_own() -> None:
    facts = churn("prod")
    facts.gap(Gap(Cause.FAILED, "jobs", "broken.yml does not parse", project="churn"))
    with facts.listing("targets", "tasks", project="churn"):
        facts.add(
            Task(key="churn/prod/train/fit", project="churn", project_key="churn", job="churn/prod/train", file="churn/fit.py")
        )
    ready = prepare(facts, Policy(), filled=FILLED | {"files"}, needed=frozenset({"jobs", "tasks", "files"}))
    # files were never listed, so the file that the task runs may be one of those not seen
    assert "churn/fit.py" in gaps_in(ready.rows["files"])


def test_two_rows_with_one_key_are_one_row_and_a_gap() -> None:
    facts = churn("prod")
    for name in ("one", "two"):
        facts.add(Job(key="churn/prod/train", project="churn", place="churn/prod", target="churn/prod", name=name))
    with facts.listing("targets", "jobs", project="churn"):
        pass
    ready = prepared(facts, "jobs")
    assert [row["name"] for row in ready.rows["jobs"]] == ["one"]
    assert any("two jobs have the key churn/prod/train" in gap.reason for gap in ready.gaps)


def test_facts_can_be_judged_again_under_another_policy() -> None:
    facts = churn("prod")
    with facts.listing("targets", project="churn"):
        pass
    before = prepared(facts, "targets").rows["targets"]
    again = prepared(facts, "targets").rows["targets"]
    assert before == again
    assert "stage" not in facts.rows["targets"][0].__dict__


def test_a_column_that_is_not_in_the_model_is_refused() -> None:
    with pytest.raises(TypeError, match="colour"):
        Target(key="a", project_key="a", colour="red")  # type: ignore[call-arg]


def model_classes() -> list[tuple[ast.ClassDef, str]]:
    found = []
    for path in Path(lakewarden.facts.model.__file__).parent.glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found += [(node, path.name) for node in tree.body if isinstance(node, ast.ClassDef)]
    return found


@pytest.mark.parametrize(("node", "file"), model_classes(), ids=lambda value: getattr(value, "name", value))
def test_every_table_and_column_has_a_doc_comment(node: ast.ClassDef, file: str) -> None:
    assert ast.get_docstring(node), file
    for field, after in zip(node.body, [*node.body[1:], None], strict=True):
        if isinstance(field, ast.AnnAssign):
            assert isinstance(after, ast.Expr), f"{file}: {ast.unparse(field.target)} of {node.name} has no doc comment"


def test_keys_and_parent_keys_are_never_null() -> None:
    for name, table in TABLES.items():
        assert not table.columns["key"].nullable, name
        for parent in table.parents:
            assert not table.columns[parent].nullable, f"{name}.{parent}"
        for column in table.columns.values():
            assert column.references is None or column.references in TABLES, f"{name}.{column.name}"


def claiming(tmp_path: Path, text: str) -> Policy:
    (tmp_path / "lakewarden.toml").write_text(text, encoding="utf-8")
    return load(tmp_path / "lakewarden.toml")


def test_a_catalog_or_workspace_that_the_policy_leaves_out_is_a_gap(tmp_path: Path) -> None:
    facts = Facts()
    facts.add(
        Target(key="churn/prod", project="churn", project_key="churn", name="prod", host="https://adb-2.azuredatabricks.net"),
        TargetCatalog(key="churn/prod/prd", project="churn", target="churn/prod", catalog="prd", access="own"),
        TargetCatalog(key="churn/prod/geo", project="churn", target="churn/prod", catalog="geo", access="read"),
    )
    text = (
        '[environments.production]\ntargets = ["prod"]\nworkspaces = ["https://adb-1.azuredatabricks.net"]\ncatalogs = ["prod"]\n'
    )
    gaps = prepare(facts, claiming(tmp_path, text), filled=FILLED, needed=frozenset({"targets"})).gaps
    assert [gap.reason for gap in gaps if gap.cause is Cause.UNCLAIMED] == [
        "no environment claims workspace https://adb-2.azuredatabricks.net",
        "no environment claims catalog prd",
    ]


def test_names_are_enough_where_the_policy_lists_no_catalogs(tmp_path: Path) -> None:
    facts = churn("prod")
    facts.add(TargetCatalog(key="churn/prod/ml", project="churn", target="churn/prod", catalog="ml", access="own"))
    policy = claiming(tmp_path, '[environments.production]\ntargets = ["prod"]\n')
    gaps = prepare(facts, policy, filled=FILLED, needed=frozenset({"targets"})).gaps
    assert [gap.reason for gap in gaps if gap.cause is Cause.UNCLAIMED] == []


def test_a_project_of_which_nothing_could_be_read_has_one_reason() -> None:
    facts = Facts()
    for table in ("targets", "jobs"):
        facts.gap(Gap(Cause.FAILED, table, "databricks.yml is broken", project="churn"))
    ready = prepare(facts, Policy(), filled=FILLED, needed=frozenset({"project_stages", "principal_stages", "targets"}))
    assert {gap.reason for gap in ready.gaps} == {"databricks.yml is broken"}
