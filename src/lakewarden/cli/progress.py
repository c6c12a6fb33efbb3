"""Tells a person at a terminal how far the reading is; nobody else is told anything."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lakewarden.sources.platform.wire.api import Api


class Progress:
    """Counts what is done. Without a terminal it only counts."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self._apis: list[Api] = []
        self._begun = time.monotonic()
        self._bar: Any = None
        self._task: Any = None

    def watch(self, api: Api) -> Api:
        """Count the requests of this host too."""
        self._apis.append(api)
        return api

    def step(self, place: str, what: str) -> None:
        """Something more is being read."""
        if self._bar is not None:
            self._bar.update(self._task, advance=1, description=f"{what} of {place.partition('://')[2] or place}")

    @property
    def said(self) -> str:
        """Requests so far, and how many in a second."""
        requests = sum(api.total for api in self._apis)
        rate = requests / max(0.1, time.monotonic() - self._begun)
        return f"{requests:,} requests, {rate:,.0f}/s"

    @contextmanager
    def shown(self) -> Iterator[Progress]:
        """Show a bar while the block runs, on a terminal."""
        if not sys.stderr.isatty():
            yield self
            return
        from rich.console import Console
        from rich.progress import BarColumn, ProgressColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar
        from rich.table import Column
        from rich.text import Text

        progress = self

        class Requests(ProgressColumn):
            """What was asked so far."""

            max_refresh = 0.25

            def render(self, task: object) -> Text:  # noqa: ARG002  (rich's signature)
                return Text(progress.said)

        text = TextColumn("reading {task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis"))
        columns = (text, BarColumn(14), Requests(table_column=Column(no_wrap=True)), TimeElapsedColumn())
        with Bar(*columns, console=Console(stderr=True), transient=True) as self._bar:
            self._task = self._bar.add_task("workspaces", total=self.steps)
            yield self


def say_requests(requests: Mapping[str, int], *, by_family: bool) -> None:
    """Say how many requests were sent, and on request to which kinds of API."""
    sys.stderr.write(f"{sum(requests.values()):,} requests\n")
    if by_family:
        for family, count in sorted(requests.items(), key=lambda item: (-item[1], item[0])):
            sys.stderr.write(f"  {count:,} {family}\n")
