"""No test reads or writes the cache of whoever runs the tests."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


#: Fixtures of servers that take long to start: whoever uses one runs in one process with all others who do.
_SERVERS = ("trained",)
_MODULES = ("test_real_server", "test_mlflow_server")


# First, or xdist has written the groups down before they are there.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        module = item.path.stem
        used = [name for name in _SERVERS if name in getattr(item, "fixturenames", ())]
        if used or module in _MODULES:
            item.add_marker(pytest.mark.xdist_group((used or [module])[0]))


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    os.environ["LAKEWARDEN_CACHE_DIR"] = str(tmp_path_factory.mktemp("cache"))
    yield
    del os.environ["LAKEWARDEN_CACHE_DIR"]
