from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest

from lakewarden.policy import model
from lakewarden.policy.attribute import RELEASE_REFS, environment_of_target, ref_class
from lakewarden.policy.load import load
from lakewarden.policy.model import Policy, policy_row

TEXT = (Path(__file__).parents[2] / "docs" / "policy.md").read_text(encoding="utf-8")
TABLES = [kind for kind in vars(model).values() if isinstance(kind, type) and hasattr(kind, "__dataclass_fields__")]


@pytest.mark.parametrize("kind", TABLES, ids=lambda kind: kind.__name__)
def test_every_key_is_documented(kind: type) -> None:
    keys = {field.name for field in fields(kind)} - (model.LOADED if kind is Policy else set())
    assert {key for key in keys if f"`{key}`" not in TEXT} == set()


def test_every_role_and_every_usual_release_ref_is_documented() -> None:
    assert [word for word in (*get_args(model.IdentityRole), *RELEASE_REFS) if f"`{word}`" not in TEXT] == []


def test_every_column_of_the_view_is_documented() -> None:
    assert [column for column in policy_row(Policy()) if f"`{column}`" not in TEXT] == []


def test_the_complete_example_loads(tmp_path: Path) -> None:
    example = re.search(r"```toml\n(# lakewarden\.toml.*?)```", TEXT, re.DOTALL)
    assert example is not None
    path = tmp_path / "lakewarden.toml"
    path.write_text(example[1], encoding="utf-8")
    policy = load(path, root=tmp_path)
    assert environment_of_target(policy, "churn", "prd").stage == "production"
    assert ref_class(policy, "churn", "release") == "release"
    unused = {re.split(r"[.\[]", key)[0] for key in policy.written}
    assert {field.name for field in fields(Policy)} - model.LOADED - {"extend", "lock", "select"} == unused - {
        "extend",
        "lock",
        "select",
    }
