"""Values of variables in `.databricks/bundle/<target>/variable-overrides.json`, where that file is in the repository."""

from __future__ import annotations

from typing import Any

import pytest

BUNDLE = """
bundle: {name: b}
variables: {catalog: {default: a}, host: {description: given elsewhere}}
targets:
  dev: {variables: {catalog: dev}}
  prod: {workspace: {host: '${var.host}'}, variables: {catalog: prod}}
resources: {jobs: {j: {parameters: [{name: catalog, default: '${var.catalog}'}]}}}
"""
FILE = ".databricks/bundle/prod/variable-overrides.json"


def test_they_replace_what_default_and_target_say(read_disk: Any) -> None:
    seen = read_disk({"databricks.yml": BUNDLE, FILE: '{"catalog": "live", "host": "https://h.cloud.databricks.com", "x": null}'})
    assert seen.target("prod").host == "https://h.cloud.databricks.com"
    assert seen.column("target_catalogs", "catalog") == ["dev", "live"]
    assert seen.one("target_catalogs", catalog="live").origin[:2] == (FILE, 1)
    assert seen.gaps() == []


@pytest.mark.parametrize("content", ["{", "[1]", b"\xff\xfe{", '{"catalog": {"a": 1}}', ""])
def test_a_broken_one_loses_nothing_else(read_disk: Any, content: str | bytes) -> None:
    seen = read_disk({"databricks.yml": BUNDLE, FILE: content})
    assert seen.target("dev").name == "dev"
    assert seen.target("prod").host is None
    assert "dev" in seen.column("target_catalogs", "catalog")
