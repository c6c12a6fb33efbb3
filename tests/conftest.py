"""No test reads or writes the cache of whoever runs the tests."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    os.environ["LAKEWARDEN_CACHE_DIR"] = str(tmp_path_factory.mktemp("cache"))
    yield
    del os.environ["LAKEWARDEN_CACHE_DIR"]
