"""The datasets that a run recorded: for Delta tables their name and version."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lakewarden.facts.model.tracking import RunInput
from lakewarden.sources.platform.estate import DEPLOYED

if TYPE_CHECKING:
    from lakewarden.facts.origin import Origin
    from lakewarden.sources.platform.estate import Estate

_CONTEXT = "mlflow.data.context"
_LEVELS = 3


def write_inputs(estate: Estate, run: str, inputs: dict[str, Any], origin: Origin | None) -> None:
    """Write a row for each dataset of a run."""
    for at, one in enumerate(inputs.get("dataset_inputs") or ()):
        dataset = one.get("dataset") or {}
        source = source_of(dataset.get("source"))
        catalog, key = catalog_of(dataset.get("source_type"), source), f"{run}/{at}"
        if catalog is None:
            reason = f"dataset {dataset.get('name')} of run {run} does not name its table by catalog, schema and table"
            estate.unexplained("run_inputs", key, reason, "load it by its full name", origin)
        tags = {tag.get("key"): tag.get("value") for tag in one.get("tags") or ()}
        estate.facts.add(
            RunInput(
                key=key,
                plane=DEPLOYED,
                origin=origin,
                run=run,
                catalog=catalog,
                versioned=source.get("delta_table_version") not in (None, ""),
                context=str(tags.get(_CONTEXT) or "none"),
            )
        )


def write_features(estate: Estate, run: str, version: dict[str, Any], origin: Origin | None) -> None:
    """Write the feature tables that a version depends on: its run was trained on them, at a version that nobody recorded."""
    for one in (version.get("model_version_dependencies") or {}).get("dependencies") or ():
        name = (one.get("table") or {}).get("table_full_name")
        key = f"{run}/feature:{name}"
        if isinstance(name, str) and estate.first("run_inputs", key):
            catalog = catalog_of("delta_table", {"delta_table_name": name})
            estate.facts.add(
                RunInput(key=key, plane=DEPLOYED, origin=origin, run=run, catalog=catalog, versioned=False, context="features")
            )


def source_of(text: Any) -> dict[str, Any]:
    """The JSON in which a dataset tells its source; empty where it is none."""
    try:
        said = json.loads(text) if isinstance(text, str) else {}
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def catalog_of(kind: Any, source: dict[str, Any]) -> str | None:
    """Catalog of the table; `none` for a source that is no table, None for a table whose name leaves the catalog open."""
    name = source.get("delta_table_name") or source.get("table_name") or source.get("table")
    if not isinstance(name, str) or not name:
        # A Delta table by its path: of which catalog is not told. Other sources are files, code or a query.
        return None if kind in ("delta_table", "databricks-uc-table") else "none"
    parts = name.replace("`", "").lower().split(".")
    return parts[0] if len(parts) == _LEVELS else None
