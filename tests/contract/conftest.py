"""A server for each test that asks for one; it fails the test when something was asked that nobody seeded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest
from tests.contract import Estate, Pages, Server, serve
from tests.contract.small import small

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager


class Serve(Protocol):
    """How a test starts a server of its own."""

    def __call__(self, estate: Estate, pages: Pages | None = None) -> Server: ...


@pytest.fixture
def serving() -> Iterator[Serve]:
    """Start servers; all of them stop, and are held to their violations, at the end of the test."""
    running: list[AbstractContextManager[Server]] = []

    def start(estate: Estate, pages: Pages | None = None) -> Server:
        context = serve(estate, pages)
        server = context.__enter__()
        running.append(context)
        return server

    yield start
    for context in running:
        context.__exit__(None, None, None)


@pytest.fixture(scope="session")
def estate() -> Estate:
    """The small estate, which no test changes."""
    return small()
