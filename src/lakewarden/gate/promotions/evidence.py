"""Writes a sample of moves with all that is known of each, for somebody who checks them."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from typing import TYPE_CHECKING

from lakewarden.errors import UsageError
from lakewarden.gate.promotions.moves import as_told

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lakewarden.gate.promotions.moves import Move
    from lakewarden.gate.promotions.views import Event, View


def write_sample(
    moves: Sequence[Move], output: Path, folders: Sequence[Path], seed: str, views: Sequence[View], events: Sequence[Event]
) -> None:
    """A folder for each move: what the sources told of it, and all that was stored about its version.

    Raises:
        UsageError: it cannot be written.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
        _write(output / "sample.json", {"version": 1, "seed": seed, "moves": [as_told(move) for move in moves]})
        for number, move in enumerate(moves, start=1):
            into = output / str(number)
            into.mkdir(exist_ok=True)
            _write(into / "move.json", {"version": 1, "move": as_told(move), **_shown(move, views, events)})
            stem = move.file.partition(".vsa.")[0].partition(".svr.")[0]
            for folder in folders if stem else ():
                for file in sorted(folder.iterdir()) if folder.is_dir() else ():
                    if file.name.startswith(f"{stem}."):
                        shutil.copyfile(file, into / file.name)
    except OSError as problem:
        raise UsageError(f"cannot write {output}: {problem.strerror}", "check the folder and its permissions") from None


def _shown(move: Move, views: Sequence[View], events: Sequence[Event]) -> Mapping[str, object]:
    """What each source showed of the name around the move."""
    since, until, name = dt.datetime.fromisoformat(move.since), dt.datetime.fromisoformat(move.until), (move.kind, move.name)
    return {
        "seen": [
            {
                "source": view.source,
                "begun": view.begun.isoformat(),
                "ended": view.ended.isoformat(),
                "versions": sorted(view.served.get(name, ())),
            }
            for view in views
            if name not in view.untold and view.ended >= since and view.begun <= until
        ],
        "log": [
            {
                "sources": event.sources,
                "time": event.time.isoformat(),
                "effect": event.effect,
                "versions": sorted(event.versions),
                "by": event.by,
            }
            for event in events
            if (event.kind, event.name) == name and since <= event.time <= until
        ],
    }


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
