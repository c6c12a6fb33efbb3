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


def gaps_of(facts: Facts, path: str) -> set[tuple[str, str]]:
    return {(gap.facts, gap.cause.value) for gap in facts.gaps if gap.origin is not None and gap.origin.path == path}


def test_a_file_that_is_too_large_is_told_where_it_may_name_something() -> None:
    facts = read({"config.yml": SECTIONS + "x: y\n" * 60_000, "config/dev.yml": "catalog: mlops_dev\n"})
    assert catalogs(facts) == BOTH[:1]
    assert gaps_of(facts, "config.yml") == {
        ("config_refs", "unresolved"), ("target_catalogs", "unresolved"), ("experiments", "unresolved"),
    }  # fmt: skip
    facts = read({"config.yml": "dev: {x: y}\nprd: {x: z}\n" + "x: y\n" * 60_000})
    assert gaps_of(facts, "config.yml") == set()


def test_no_other_file_is_taken_for_one_that_is_too_large() -> None:
    code = "import yaml\nconf = yaml.safe_load(open('conf/app.yml'))\nspark.table(conf['table'])\n"
    files = {"conf/app.yml": "table: a.b.c\n" + "x: y\n" * 60_000, "other/app.yml": "table: d.e.f\n", "main.py": code}
    assert [name for (name,) in rows(read(files), "table_access", "name")] == [None]


def test_what_is_filled_in_later_is_told() -> None:
    content = "dev: {catalog: '${var.x}', path: '/mnt/{x}/y'}\nprd: {catalog: '{x}_prd', title: '{x}', table: '{x}.y.z'}\n"
    facts = read({"config.yml": content})
    assert references(facts) == [
        ("churn/dev", "catalog", None, False), ("churn/dev", "path", "none", False), ("churn/prd", "catalog", None, False),
    ]  # fmt: skip
    assert catalogs(facts) == [("churn/dev", None, None, "own"), ("churn/prd", None, None, "own")]
    assert gaps_of(facts, "config.yml") == {("config_refs", "unresolved"), ("target_catalogs", "unresolved")}


def test_paths_outside_unity_catalog_of_all_stages() -> None:
    content = "paths: {raw: /mnt/raw, checkpoint: /mnt/x, other: 's3://x/y', files: /Volumes/a/b/c}\nlog: {path: /mnt/log}\n"
    found = [(row.key, row.__dict__["kind"]) for row in gather_all({"conf/a.yml": content}).rows["config_refs"]]
    assert found == [("repository/conf/a.yml:paths.raw", "path")]
    found = [(row.key, row.__dict__["kind"]) for row in read({"conf/a.yml": content}).rows["config_refs"]]
    assert found == [("churn/dev/conf/a.yml:paths.raw", "path")]
    assert gather_all({"docker-compose.yml": "services: {a: {config: /mnt/raw}}\n"}).rows["config_refs"] == []


def test_without_a_bundle_there_are_no_stages_to_tell() -> None:
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


def test_values_at_any_depth_are_read() -> None:
    deep = "".join(f"{'  ' * depth}level{depth}:\n" for depth in range(1, 10))
    content = "".join(f"{stage}:\n{deep}{'  ' * 10}catalog_name: mlops_{stage}\n" for stage in ("dev", "prd"))
    assert catalogs(read({"project_config.yml": content})) == BOTH
