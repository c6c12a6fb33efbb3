"""System tables: what each needs, and how long it keeps what happened."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from lakewarden.sources.platform.databricks.once import once
from lakewarden.sources.platform.wire.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakewarden.sources.platform.databricks.statements import Row
    from lakewarden.sources.platform.estate import Estate

#: What lets `audit` read them.
WITH_WAREHOUSE = "give a SQL warehouse with --warehouse ID"
#: So long lineage and audit log are kept ("System tables reference": 365 days).
KEPT_DAYS = 365
ACCESS = "system.access"


def since() -> str:
    """The first day of which lineage and audit log are whole."""
    return (dt.datetime.now(tz=dt.timezone.utc).date() - dt.timedelta(days=KEPT_DAYS)).isoformat()


def rows_of_access(estate: Estate, name: str, statement: str, parameters: Mapping[str, str] | None = None) -> list[Row]:
    """The rows of a query over the schema `system.access`, asked once in a workspace under this name.

    Raises a SourceError where they are not all there, or where there is no warehouse to ask.
    """
    warehouse = estate.warehouse
    if warehouse is None:
        raise Refused("system tables are read through a SQL warehouse alone", WITH_WAREHOUSE)
    remedy = f"GRANT USE SCHEMA, SELECT ON SCHEMA `{ACCESS}` TO `{estate.rights.me.name}`"
    return once(estate, name, lambda: warehouse.rows(statement, {"since": since(), **(parameters or {})}, remedy=remedy))
