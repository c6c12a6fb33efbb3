from __future__ import annotations

import io
import os
import pty
from typing import TextIO

import pytest

from lakewarden.reports.options import options_for


@pytest.fixture
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


def terminal() -> TextIO:
    """A real terminal to write to."""
    _, end = pty.openpty()
    return os.fdopen(end, "w")


@pytest.mark.usefixtures("plain_environment")
def test_a_pipe_gets_no_colour_and_eighty_columns() -> None:
    options = options_for(io.StringIO())
    assert (options.color, options.width, options.link) == (False, 80, False)


@pytest.mark.usefixtures("plain_environment")
def test_a_terminal_gets_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    with terminal() as out:
        assert options_for(out).color
        assert options_for(out).link
        assert not options_for(out, "never").color
        monkeypatch.setenv("NO_COLOR", "1")
        assert not options_for(out).color
        assert options_for(out, "always").color
        monkeypatch.delenv("NO_COLOR")
        monkeypatch.setenv("TERM", "dumb")
        assert not options_for(out).color
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "100")
        assert options_for(out).width == 100


@pytest.mark.usefixtures("plain_environment")
def test_colour_can_be_forced_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert options_for(io.StringIO()).color
    assert not options_for(io.StringIO()).link
