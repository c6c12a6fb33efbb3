"""What collectors ask is what the databricks-sdk that is installed knows. CI runs this with the oldest one, too."""

from __future__ import annotations

import re

from tests.contract import serve
from tests.contract.operations import contract
from tests.contract.small import small
from tests.live import facts_of

from lakewarden.sources.platform.audit import collectors


def declared() -> dict[str, tuple[str, str] | None]:
    """Each question that a collector says it asks, with the operation of the SDK that it is."""
    found: dict[str, tuple[str, str] | None] = {}
    for collector in collectors():
        for need in collector.needs:
            verb, _, path = need.call.partition(" ")
            matched = contract().match(verb, re.sub(r"\{\w+\}|…", "x", path))
            found[need.call] = (verb, matched[0].template) if matched else None
    return found


def test_the_sdk_knows_every_question_that_collectors_say_they_ask() -> None:
    found = declared()
    assert len(found) > 30
    assert [call for call, operation in found.items() if operation is None] == []


def test_the_sdk_knows_every_question_that_collectors_ask() -> None:
    with serve(small()) as server:
        facts_of(server)
        assert len(server.operations) > 20
        assert server.operations - set(contract().operations) == set()
        assert server.violations == []
