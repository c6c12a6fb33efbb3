"""System tables: what each needs, and how long it keeps what happened."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from lakewarden.sources.platform.databricks.once import once
from lakewarden.sources.platform.databricks.statements import TooLarge
from lakewarden.sources.platform.wire.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lakewarden.sources.platform.databricks.statements import Row
    from lakewarden.sources.platform.estate import Estate

#: What lets `audit` read them.
WITH_WAREHOUSE = "give a SQL warehouse with --warehouse ID"
#: So long lineage and audit log are kept ("System tables reference": 365 days).
KEPT_DAYS = 365
ACCESS = "system.access"


def since() -> str:
    """The first day of which lineage and audit log are whole."""
    return _first_day().isoformat()


def _first_day() -> dt.date:
    return dt.datetime.now(tz=dt.timezone.utc).date() - dt.timedelta(days=KEPT_DAYS)


def rows_of_access(estate: Estate, name: str, statement: str, parameters: Mapping[str, str] | None = None) -> list[Row]:
    """The rows of a query over the schema `system.access` from the day `:since` on, asked once in a workspace under this name.
    One that ends before the day `:until` is asked for fewer days at a time where its result is too large; of rows that are
    alike it gives one.

    Raises a SourceError where they are not all there, or where there is no warehouse to ask.
    """
    warehouse = estate.warehouse
    if warehouse is None:
        raise Refused("system tables are read through a SQL warehouse alone", WITH_WAREHOUSE)
    remedy = f"GRANT USE SCHEMA, SELECT ON SCHEMA `{ACCESS}` TO `{estate.rights.me.name}`"

    def between(since: dt.date, until: dt.date) -> list[Row]:
        of_days = {"since": since.isoformat(), **({"until": until.isoformat()} if in_parts else {})}
        return warehouse.rows(statement, {**of_days, **(parameters or {})}, remedy=remedy)

    in_parts = ":until" in statement

    def ask() -> list[Row]:
        first = _first_day()
        end = first + dt.timedelta(days=KEPT_DAYS + 2)  # the host's day may have begun already
        if not in_parts:
            return between(first, end)
        return list({tuple(row.items()): row for row in _in_parts(between, first, end)}.values())

    return once(estate, name, ask)


def _in_parts(between: Callable[[dt.date, dt.date], list[Row]], since: dt.date, until: dt.date) -> Iterator[Row]:
    """The rows of some days; what is more than one statement may bring is asked for in two halves. Raises `TooLarge` where one
    day is too much.
    """
    days = (until - since).days
    try:
        yield from between(since, until)
    except TooLarge:
        if days <= 1:
            raise
        middle = since + dt.timedelta(days=days // 2)
        yield from _in_parts(between, since, middle)
        yield from _in_parts(between, middle, until)
