"""What there is: rows by kind and parent, kept or made when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, overload

from tests.contract.asking import Unseeded
from tests.contract.paging import Chained
from tests.contract.seeds import checked

Json = dict[str, Any]

ADMIN = "admin@example.com"
NOW = 1_767_225_600_000  # 2026-01-01, in the services' milliseconds

# What belongs to the metastore is the same from every workspace that is attached to it.
METASTORE = frozenset(
    {"catalogs", "schemas", "tables", "models", "model_versions", "external_locations", "storage_credentials", "entity_tags"}
)


class Rows(Sequence[Json]):
    """Rows that were seeded one by one."""

    def __init__(self) -> None:
        self._rows: list[Json] = []
        self._place: dict[str, int] = {}

    def put(self, name: str, row: Json) -> None:
        if name in self._place:
            self._rows[self._place[name]] = row
        else:
            self._place[name] = len(self._rows)
            self._rows.append(row)

    def find(self, name: str) -> Json | None:
        place = self._place.get(name)
        return None if place is None else self._rows[place]

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Json: ...
    @overload
    def __getitem__(self, index: slice) -> list[Json]: ...
    def __getitem__(self, index: int | slice) -> Json | list[Json]:
        return self._rows[index]


class Made(Sequence[Json]):
    """Rows that are made when they are read: for estates too large to keep."""

    def __init__(self, count: int, make: Callable[[int], Json], number: Callable[[str], int | None]) -> None:
        self._count, self._make, self._number = count, make, number

    def find(self, name: str) -> Json | None:
        number = self._number(name)
        return self._make(number) if number is not None and 0 <= number < self._count else None

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Json: ...
    @overload
    def __getitem__(self, index: slice) -> list[Json]: ...
    def __getitem__(self, index: int | slice) -> Json | list[Json]:
        if isinstance(index, slice):
            return [self._make(one) for one in range(*index.indices(self._count))]
        if not 0 <= index < self._count:
            raise IndexError(index)
        return self._make(index)


class Store:
    """Rows by kind and parent; a kind of which nothing was said is not an empty kind."""

    def __init__(self, *, complete: bool) -> None:
        self.complete = complete  # what was not seeded does not exist, instead of being unknown
        self.raw: list[str] = []  # what the SDK would drop, for review
        self._rows: dict[str, dict[str, Rows | Made]] = {}

    def seed(self, kind: str, name: str, cls: str, row: Json, *, parent: str = "", raw: Mapping[str, Any] | None = None) -> Json:
        """Keep a row that the SDK reads without loss, joined with what it is known to drop."""
        kept = checked(cls, row) | dict(raw or {})
        if raw:
            self.raw.append(f"{kind} {name}: {', '.join(sorted(raw))}")
        rows = self._rows.setdefault(kind, {}).setdefault(parent, Rows())
        if not isinstance(rows, Rows):
            raise TypeError(f"{kind} of {parent} are made, none can be added")
        rows.put(name, kept)
        return kept

    def make(self, kind: str, parent: str, rows: Made) -> None:
        self._rows.setdefault(kind, {})[parent] = rows

    def none(self, *kinds: str) -> None:
        """Say that there are none of these, unless some are seeded."""
        for kind in kinds:
            self._rows.setdefault(kind, {})

    def knows(self, kind: str) -> bool:
        return self.complete or kind in self._rows

    def under(self, kind: str, parent: str = "") -> Sequence[Json]:
        return self._of(kind).get(parent, ())

    def all(self, kind: str) -> Sequence[Json]:
        return Chained(list(self._of(kind).values()))

    def parents(self, kind: str) -> list[str]:
        return list(self._of(kind))

    def find(self, kind: str, name: str, parent: str | None = None) -> Json | None:
        """The row of that name, under one parent or under any."""
        of = self._of(kind)
        wanted = list(of.values()) if parent is None else [of[parent]] if parent in of else []
        for rows in wanted:
            if (found := rows.find(name)) is not None:
                return found
        return None

    def shared(self, other: Store) -> None:
        """Read the metastore's rows of another store from now on."""
        for kind in METASTORE:
            if kind in other._rows:
                self._rows[kind] = other._rows[kind]

    def _of(self, kind: str) -> dict[str, Rows | Made]:
        if not self.knows(kind):
            raise Unseeded(f"{kind} are not seeded")
        return self._rows.get(kind, {})
