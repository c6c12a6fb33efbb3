"""Tests of the gate run where nothing says that they run in CI: a gate would ask who approved that."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD", "CI", "GH_TOKEN", "GITHUB_TOKEN", "GH_HOST", "GITHUB_SERVER_URL"):
        monkeypatch.delenv(name, raising=False)
