"""What a policy may demand of the gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lakewarden.errors import PolicyError
from lakewarden.policy.load import load

if TYPE_CHECKING:
    from pathlib import Path

_NONE = '[parameters]\napproval = "none"\n'
_PROJECT = '[[projects]]\nname = "churn"\nmodels = ["prod.churn.*"]\ngate = { level = "approved" }\n'


def loaded(folder: Path, text: str) -> None:
    file = folder / "lakewarden.toml"
    file.write_text(text)
    load(file)


@pytest.mark.parametrize("text", [f'{_NONE}[gate]\nlevel = "approved"\n', _NONE + _PROJECT], ids=["for all", "of a project"])
def test_nobody_approves_and_everything_must_be_approved(tmp_path: Path, text: str) -> None:
    with pytest.raises(PolicyError, match="demands that a person approves") as raised:
        loaded(tmp_path, text)
    assert 'write level = "validated", or approval = "required"' in str(raised.value)
    assert "gate.level" in str(raised.value)


@pytest.mark.parametrize(
    "text", [f'{_NONE}[gate]\nlevel = "validated"\n', _PROJECT, _NONE], ids=["below", "required", "no level"]
)
def test_what_agrees(tmp_path: Path, text: str) -> None:
    loaded(tmp_path, text)


@pytest.mark.parametrize("name", ["approval_max_age", "validation_max_age", "audit_max_age"])
def test_an_age_is_no_less_than_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(PolicyError, match=f"gate.{name}"):
        loaded(tmp_path, f"[gate]\n{name} = -1\n")
    loaded(tmp_path, f"[gate]\n{name} = 0\n")
