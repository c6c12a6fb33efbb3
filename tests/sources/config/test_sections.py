"""Sections of configuration files for stages: which targets they are for, and what they name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sources.code.reading import rows
from tests.sources.whole import gather_all

from lakewarden.sources.repository.config.names import like_configuration, stage_of_file

if TYPE_CHECKING:
    from lakewarden.facts.collect import Facts

HOST = "https://adb-1.azuredatabricks.net"
BUNDLE = f"""
bundle: {{name: churn}}
targets:
  dev: {{workspace: {{host: {HOST}}}}}
  prd: {{mode: production, workspace: {{host: {HOST}}}}}
"""
SECTIONS = "dev:\n  catalog_name: mlops_dev\nprd:\n  catalog_name: mlops_prd\n"


def read(files: dict[str, str]) -> Facts:
    return gather_all({"databricks.yml": BUNDLE, **files})


def references(facts: Facts) -> list[tuple[Any, ...]]:
    return sorted(rows(facts, "config_refs", "target", "kind", "named", "hard_coded"), key=str)


def catalogs(facts: Facts) -> list[tuple[Any, ...]]:
    return sorted(rows(facts, "target_catalogs", "target", "catalog", "schema", "access"), key=str)


BOTH = [("churn/dev", "mlops_dev", "none", "own"), ("churn/prd", "mlops_prd", "none", "own")]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("project_config.yml", SECTIONS),
        ("conf/app.yaml", SECTIONS),
        ("settings.json", '{"dev": {"catalog_name": "mlops_dev"}, "prd": {"catalog_name": "mlops_prd"}}'),
        ("config.toml", '[dev]\ncatalog_name = "mlops_dev"\n[prd]\ncatalog_name = "mlops_prd"\n'),
        ("config.ini", "[dev]\ncatalog_name = mlops_dev\n[prd]\ncatalog_name: mlops_prd\n"),
        ("config.yml", "environments:\n  dev: {catalog: mlops_dev}\n  prd: {catalog: mlops_prd}\n"),
        ("config.yml", "development:\n  data: {catalog: mlops_dev}\nproduction:\n  data: {catalog: mlops_prd}\n"),
    ],
)
def test_sections_named_for_stages(path: str, content: str) -> None:
    facts = read({path: content})
    assert catalogs(facts) == BOTH
    assert references(facts) == [("churn/dev", "catalog", "mlops_dev", False), ("churn/prd", "catalog", "mlops_prd", False)]


def test_each_value_stands_at_its_line() -> None:
    (dev, prd) = read({"project_config.yml": SECTIONS}).rows["config_refs"]
    assert [(row.origin.path, row.origin.line) for row in (dev, prd) if row.origin] == [
        ("project_config.yml", 2),
        ("project_config.yml", 4),
    ]
    (dev, prd) = read({"config.toml": '# x\n[dev]\ncatalog = "a_dev"\n\n[prd]\ncatalog = "a_prd"\n'}).rows["config_refs"]
    assert [row.origin.line for row in (dev, prd) if row.origin] == [3, 6]


def test_files_named_for_a_stage() -> None:
    files = {"config/dev.yml": "catalog: mlops_dev\n", "config/prod.yml": "catalog: mlops_prd\n"}
    assert catalogs(read(files)) == BOTH
    files = {"conf/dev/tables.yml": "catalog: mlops_dev\n", "conf/prod/tables.yml": "catalog: mlops_prd\n"}
    assert catalogs(read(files)) == BOTH


def test_what_sections_share_is_for_every_target() -> None:
    facts = read({"project_config.yml": f"{SECTIONS}experiment_name: /Shared/churn\n"})
    assert ("churn/prd", "experiment", "/Shared/churn", True) in references(facts)
    assert sorted(rows(facts, "experiments", "target", "path", "host")) == [
        ("churn/dev", "/Shared/churn", HOST),
        ("churn/prd", "/Shared/churn", HOST),
    ]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("notes.yml", SECTIONS),  # not named like configuration, and no code reads it
        ("tests/config.yml", SECTIONS),
        ("config.yml", "catalog: mlops_dev\n"),  # not told apart by stage
        ("config.yml", "dev: {catalog: a}\n"),  # one section is no choice
        ("config.yml", "dev: {name: x}\nprd: {name: y}\n"),
        ("config.yml", "dev: {catalog: '${var.x}'}\nprd: {catalog: '{x}_prd'}\n"),
        ("config.yml", "targets:\n  dev: {catalog: a}\n  prd: {catalog: b}\n"),  # a part of a bundle
        ("config.yml", "steps: {}\ndev: {catalog: a}\nprd: {catalog: b}\n"),
        (".config.yml", SECTIONS),
        ("config.yml", ""),
        ("config.yml", "- dev: {catalog: a}\n- prd: {catalog: b}\n"),
    ],
)
def test_files_that_tell_nothing(path: str, content: str) -> None:
    assert catalogs(read({path: content})) == []


def test_a_file_of_any_name_counts_when_code_reads_it() -> None:
    code = "import yaml\nconf = yaml.safe_load(open('notes.yml'))\ndf.write.saveAsTable(f\"{conf['dev']['catalog_name']}.a.b\")"
    assert catalogs(read({"notes.yml": SECTIONS, "a.py": code})) == BOTH


def test_a_section_for_no_target_is_left_out() -> None:
    facts = read({"config.yml": SECTIONS + "qa:\n  catalog_name: mlops_qa\n"})
    assert catalogs(facts) == BOTH


def test_the_catalog_of_another_stage() -> None:
    facts = read({"config.yml": SECTIONS.replace("mlops_prd", "mlops_dev")})
    assert catalogs(facts) == [("churn/dev", "mlops_dev", "none", "own"), ("churn/prd", "mlops_dev", "none", "own")]


def test_schema_host_and_volume() -> None:
    content = f"dev: {{catalog: a, schema: S1, host: {HOST}}}\nprd: {{catalog: b, schema: S2, data: /Volumes/b/x/y}}\n"
    facts = read({"config.yml": content})
    assert catalogs(facts) == [("churn/dev", "a", "s1", "own"), ("churn/prd", "b", "s2", "own")]
    assert {(kind, named) for _, kind, named, _ in references(facts)} == {
        ("catalog", "a"), ("host", HOST), ("catalog", "b"), ("volume", "b"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        ("dev: [catalog\n", "failed"),
        ("dev: {catalog: {{ catalog }}, a: [}\n", "unresolved"),
        ("\tdev: catalog\n  - x: [", "failed"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_and_loses_nothing_else(content: str, cause: str) -> None:
    files = {"config/prod.yml": "catalog: mlops_prd\n", "config/broken.yml": content, "config/dev.yml": "catalog: mlops_dev\n"}
    facts = read(files)
    assert catalogs(facts) == BOTH
    told = [gap for gap in facts.gaps if gap.origin is not None and gap.origin.path == "config/broken.yml"]
    assert {gap.cause.value for gap in told} == {cause}


def test_a_large_file_is_no_configuration() -> None:
    assert catalogs(read({"config.yml": SECTIONS + "x: y\n" * 60_000})) == []


def test_without_a_bundle_there_is_nothing_to_tell() -> None:
    assert gather_all({"config.yml": SECTIONS}).rows["config_refs"] == []


def test_outside_of_the_only_bundle() -> None:
    facts = gather_all({"app/databricks.yml": BUNDLE, "project_config.yml": SECTIONS})
    assert catalogs(facts) == BOTH
    facts = gather_all({"app/databricks.yml": BUNDLE, "b/databricks.yml": BUNDLE.replace("churn", "b"), "config.yml": SECTIONS})
    assert catalogs(facts) == []


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("project_config.yml", True),
        ("conf/x.yml", True),
        ("a/environments/prod.yml", True),
        ("params.json", True),
        ("src/data.yml", False),
        ("configuration/deep/er/x.yml", False),
        (".github/workflows/config.yml", False),
        (".vscode/settings.json", False),
    ],
)
def test_names_of_configuration(path: str, expected: bool) -> None:
    assert like_configuration(path) is expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [("conf/prod.yml", "prod"), ("conf/databricks-dev.yaml", "databricks-dev"), ("prod/x.yml", "prod"), ("conf/x.yml", None)],
)
def test_the_stage_of_a_file(path: str, expected: str | None) -> None:
    assert stage_of_file(path) == expected


KEYS = st.sampled_from(["dev", "prd", "catalog", "experiment_name", "x", "prod", "", "dev.a", "1"])
VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.sampled_from(["a_dev", "/Shared/x", "a.b.c", "${x}", "\x00", "é", HOST])
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)


@given(st.dictionaries(KEYS, VALUES, max_size=5), st.sampled_from(["config.json", "config/prod.json"]))
@settings(max_examples=60, deadline=None)
def test_any_file(content: dict[str, Any], path: str) -> None:
    import json

    facts = read({path: json.dumps(content)})
    for table in ("config_refs", "target_catalogs", "experiments"):
        keys = [row.key for row in facts.rows[table]]
        assert len(keys) == len(set(keys))
        assert all(row.__dict__["target"] in ("churn/dev", "churn/prd") for row in facts.rows[table])


@given(st.text(max_size=200), st.sampled_from(["config.toml", "config.ini", "config.yml", "config.json"]))
@settings(max_examples=100, deadline=None)
def test_any_text(text: str, path: str) -> None:
    read({path: f"catalog {text}"})
