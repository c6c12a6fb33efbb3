"""What the holes of names come to: by other files, and by what tasks start a file with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.sources.repository.code.result import Known, SqlName
from lakewarden.sources.repository.code.values import HOLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakewarden.sources.source import Context, Launch


class Names:
    """Fills the holes of names in statements."""

    def __init__(self, context: Context) -> None:
        self._resolver = None if context.code is None else context.code.resolver
        self._launches: dict[str, list[Launch]] | None = None
        self._context = context

    def of(self, path: str, launch: Launch | None = None) -> Callable[[SqlName], SqlName]:
        """What fills the names of one file, where a task of a target starts it."""

        def filled(name: SqlName) -> SqlName:
            if self._resolver is None or not name.holes or name.text.count(HOLE) != len(name.holes):
                return name
            if not any(hole.symbol for hole in name.holes):
                return name
            ways = list(self._resolver.ways(path, Known(name.text, name.holes)))
            if launch is not None:
                from lakewarden.sources.repository.code.late import start

                ways = [started for way in ways for started in start(way, launch)]
            (way, *others) = ways
            return SqlName(way.text, way.holes) if way.text is not None and not others else name

        return filled

    def launches(self, path: str) -> list[Launch]:
        """What starts a file, or a file that loads it: once for each target and set of values."""
        if self._launches is None:
            self._launches = self._of_files()
        return self._launches.get(path, [])

    def _of_files(self) -> dict[str, list[Launch]]:
        code = self._context.code
        if code is None or not self._context.launches:
            return {}
        from lakewarden.sources.repository.code.linked import reached

        found: dict[str, list[Launch]] = {}
        for start, launches in self._context.launches.items():
            for path in reached(start, code.loads):
                own = found.setdefault(path, [])
                own.extend(launch for launch in launches if launch not in own)
        return found
