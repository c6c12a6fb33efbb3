"""How a report is to look."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, NamedTuple, TextIO

from lakewarden.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What `--show` knows.
MORE = ("unknown", "waived", "advisory", "gaps")


class Options(NamedTuple):
    """What a reader can choose: colours, the width of a line, more to be shown (`waived`, `gaps`), links in a terminal, and how
    many findings of each group are listed (None: as many as fit, 0: all).
    """

    color: bool = False
    width: int = 80
    show: frozenset[str] = frozenset()
    link: bool = False
    limit: int | None = None


def options_for(out: TextIO, color: str = "auto", show: frozenset[str] = frozenset(), limit: int | None = None) -> Options:
    """The options that suit a stream: colour, links and its own width on a terminal only.

    `color` is `auto`, `always` or `never`; `auto` listens to NO_COLOR and FORCE_COLOR.
    """
    terminal = out.isatty() and os.environ.get("TERM") != "dumb"
    if color == "auto":
        colored = (terminal or bool(os.environ.get("FORCE_COLOR"))) and not os.environ.get("NO_COLOR")
    else:
        colored = color == "always"
    width = min(max(shutil.get_terminal_size((80, 24)).columns, 40), 120) if terminal else 80
    return Options(colored, width, show, colored and terminal, limit)


def check_shown(wanted: Iterable[str]) -> None:
    """Refuse what there is nothing more to show of.

    Raises:
        UsageError: one of `wanted` is not in `MORE`.
    """
    for word in wanted:
        if word not in MORE:
            raise UsageError(f"--show {word} shows nothing", f"there are: {', '.join(MORE)}")
