"""The examples as repositories, to be read and not to be changed."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from tests.running import CHECKOUT, commit

if TYPE_CHECKING:
    from pathlib import Path


def example(name: str, folder: Path) -> Path:
    """A repository with one of the examples."""
    shutil.copytree(CHECKOUT / "examples" / name, folder)
    commit(folder)
    return folder


@pytest.fixture(scope="session")
def compliant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return example("compliant", tmp_path_factory.mktemp("examples") / "compliant")


@pytest.fixture(scope="session")
def violating(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return example("violating", tmp_path_factory.mktemp("examples") / "violating")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The violating example, to be changed."""
    return example("violating", tmp_path / "project")
