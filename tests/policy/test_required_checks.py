"""The checks that a gate requires: globs, and a list that a policy below may lengthen and not shorten."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.running import write

from lakewarden.errors import PolicyError
from lakewarden.policy.load import load

if TYPE_CHECKING:
    from pathlib import Path

BELOW = 'lock = ["projects.churn.gate"]\n[[projects]]\nname = "churn"\ngate = {{ required_checks = {} }}\n'
ABOVE = 'extend = "below.toml"\n[[projects]]\nname = "churn"\ngate = {{ required_checks = {} }}\n'


def checks_of(folder: Path, below: str, above: str) -> tuple[str, ...]:
    write(folder, {"below.toml": BELOW.format(below), "lakewarden.toml": ABOVE.format(above)})
    return load(folder / "lakewarden.toml", root=folder).projects[0].gate.required_checks


def test_a_list_that_is_locked_grows_and_does_not_shrink(tmp_path: Path) -> None:
    assert checks_of(tmp_path, '["unit"]', '["unit", "staging *"]') == ("unit", "staging *")
    with pytest.raises(PolicyError, match="loosens"):
        checks_of(tmp_path, '["unit", "staging"]', '["unit"]')


def test_a_glob_that_matches_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="required_checks"):
        checks_of(tmp_path, '["unit"]', '["unit", "{a,b}"]')
