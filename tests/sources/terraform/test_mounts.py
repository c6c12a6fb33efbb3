"""Mounts of storage in Terraform."""

from __future__ import annotations

import pytest
from tests.sources.code.reading import rows
from tests.sources.whole import gather_all


@pytest.mark.parametrize(
    ("block", "value"),
    [
        ('resource "databricks_mount" "a" {\n  name = "lake"\n}', "/mnt/lake"),
        ('resource "databricks_aws_s3_mount" "a" {\n  mount_name = "/lake"\n}', "/mnt/lake"),
        ('resource "databricks_mount" "a" {\n  name = var.name\n}\nvariable "name" {}', "databricks_mount.a"),
    ],
)
def test_a_mount_is_data_outside_unity_catalog(block: str, value: str) -> None:
    facts = gather_all({"infra/main.tf": block})
    assert rows(facts, "config_refs", "kind", "value", "named") == [("path", value, "none")]
    assert [row.origin.line for row in facts.rows["config_refs"] if row.origin is not None] == [1]


def test_without_a_mount_nothing_is_told() -> None:
    facts = gather_all({"infra/main.tf": 'resource "databricks_catalog" "a" {\n  name = "lake"\n}'})
    assert facts.rows["config_refs"] == []
    assert not [gap for gap in facts.gaps if gap.facts == "config_refs"]
