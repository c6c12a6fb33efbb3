"""What one statement tells of all tables of a schema, as far as the API agrees; the others are asked one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from lakewarden.errors import SourceError
from lakewarden.sources.platform.wire.gather import gather

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence, Sized

    from lakewarden.sources.platform.databricks.statements import Warehouse

Schema = TypeVar("Schema")
Value = TypeVar("Value")

#: A schema with fewer tables costs fewer requests without a statement.
FEWEST = 3


def told(warehouse: Warehouse, schemas: Sequence[Schema], of_schema: Callable[[Schema], Mapping[str, Value]]) -> dict[str, Value]:
    """What `of_schema` gives for each schema, by key of a table; nothing of a schema for which it raises a SourceError."""
    found: dict[str, Value] = {}
    if schemas:
        try:
            warehouse.start()
        except SourceError:
            return found  # who needs the warehouse for more says so
    for _, answer in gather(of_schema, schemas):
        try:
            found |= answer.get()
        except SourceError:  # noqa: PERF203
            continue
    return found


def samples(found: Mapping[str, Sized]) -> list[str]:
    """The tables of which the API is asked as well: the one of which the least was told, and the most."""
    ordered: list[Any] = sorted(found, key=lambda key: (len(found[key]), key))
    return list(dict.fromkeys((*ordered[:1], *ordered[-1:])))
