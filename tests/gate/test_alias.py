"""An alias of Unity Catalog is moved by compare and swap, read back, and put back where it is not what was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.contract import Server, serve
from tests.contract.faults import broken, dropped, refused
from tests.sources.platform.databricks.learning import MODEL, learning

from lakewarden.errors import SourceError, UsageError
from lakewarden.facts.collect import Facts
from lakewarden.sources.platform.databricks.rights import Rights
from lakewarden.sources.platform.estate import Estate
from lakewarden.sources.platform.gate.alias import move, pointed, refuse_without_aliases, tag
from lakewarden.sources.platform.gate.request import request_of
from lakewarden.sources.platform.gate.reread import ask_first, watch
from lakewarden.sources.platform.wire import http
from lakewarden.sources.platform.wire.api import Options

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUEST = request_of(f"models:/{MODEL}/1", "production", ("champion",))
ONE = f"/api/2.1/unity-catalog/models/{MODEL}"
ALIAS = "/api/2.1/unity-catalog/models/{}/aliases/{}"


@pytest.fixture
def server() -> Iterator[Server]:
    with serve(learning()) as running:
        yield running


def estate(server: Server) -> Estate:
    api = http.connect(server.url, token=server.estate.admin.token, options=Options(sleep=lambda _seconds: None))
    found = Estate(api, Facts(), frozenset(), Rights(api))
    watch(found, lambda: "")
    ask_first(found, ONE, {"include_aliases": "true"}, family="unity-catalog", right="")
    return found


def test_an_alias_is_moved_once_and_read_back(server: Server) -> None:
    asked = estate(server)
    moved = move(asked, REQUEST, "champion", "1")
    assert (moved.done, moved.before, moved.stands) == (True, "2", "1")
    assert len(server.asked(ALIAS, "PUT")) == 1
    assert asked.api.total == len(server.asked())


def test_an_alias_that_was_not_there_is_set(server: Server) -> None:
    assert move(estate(server), REQUEST, "challenger", "1").before == "none"


def test_an_alias_that_differs_in_case_is_moved_and_not_made_anew(server: Server) -> None:
    asked = estate(server)
    moved = move(asked, REQUEST, "Champion", "1")
    assert (moved.done, moved.before, moved.stands) == (True, "2", "1")
    assert pointed(asked, REQUEST, "champion") == "1"


def test_what_moved_meanwhile_is_left_alone(server: Server) -> None:
    asked = estate(server)
    move(estate(server), REQUEST, "challenger", "1")
    moved = move(asked, REQUEST, "champion", "1")
    assert (moved.done, moved.changed) == (False, True)
    assert pointed(asked, REQUEST, "champion") == "2"


def test_an_alias_that_reads_back_differently_is_put_back(server: Server) -> None:
    asked = estate(server)
    server.estate.answers["PUT", f"{ONE}/aliases/champion"] = {}  # the host says yes and does nothing
    moved = move(asked, REQUEST, "champion", "1")
    assert (moved.done, moved.stands) == (False, "2")
    assert "read back as version 2" in moved.why


def test_a_request_that_is_not_answered_is_not_sent_again_and_is_read(server: Server) -> None:
    asked = estate(server)
    server.faults.add("PUT", ALIAS, dropped())  # it was heard, and the answer is lost
    moved = move(asked, REQUEST, "champion", "1")
    assert (moved.done, moved.stands) == (True, "1")
    assert len(server.asked(ALIAS, "PUT")) == 1


def test_what_cannot_be_read_back_is_put_back_and_never_told_as_done(server: Server) -> None:
    asked = estate(server)
    server.faults.add("GET", ALIAS.partition("/aliases")[0], broken(), when=lambda _asked: bool(server.asked(ALIAS, "PUT")))
    moved = move(asked, REQUEST, "champion", "1")
    assert (moved.done, moved.stands) == (False, None)
    assert "could not be read back" in moved.why
    server.faults.clear()
    assert pointed(estate(server), REQUEST, "champion") == "2"


def test_a_refusal_moves_nothing_and_says_what_is_missing(server: Server) -> None:
    asked = estate(server)
    server.faults.add("PUT", ALIAS, refused())
    moved = move(asked, REQUEST, "champion", "1")
    assert (moved.done, moved.stands, moved.changed) == (False, "2", False)
    assert "MANAGE on the model" in moved.remedy


def test_tags_are_written_on_the_version(server: Server) -> None:
    tag(estate(server), REQUEST, "1", {"lakewarden.gate": "PASSED"})
    assert server.estate.version_tags[MODEL, "1"] == {"lakewarden.gate": "PASSED"}


def test_a_tag_that_is_refused_is_told(server: Server) -> None:
    with pytest.raises(SourceError):
        tag(estate(server), REQUEST, "99", {"lakewarden.gate": "PASSED"})


def test_the_workspace_registry_has_no_aliases() -> None:
    with pytest.raises(UsageError, match="no aliases"):
        refuse_without_aliases(request_of("models:/churn/1", "production"))
