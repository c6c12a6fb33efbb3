"""Which external location holds the storage of a production catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts.fact import TABLES
from lakewarden.facts.model.data import ExternalLocation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lakewarden.facts.completeness import Completeness
    from lakewarden.facts.fact import Fact
    from lakewarden.facts.places import Places


def locations(rows: Mapping[str, Sequence[Fact]], places: Places, complete: Completeness) -> list[Fact]:
    """The external locations, each with whether a production catalog is stored in it, where the source left that open."""
    found: list[Fact] = []
    for row in rows["external_locations"]:
        values = row.__dict__
        if row.plane == "declared" or values.get("serves_production") is not None:
            found.append(row)
            continue
        metastore = row.key.partition("/")[0]
        answers = {_serves(row, catalog, places) for catalog in rows["catalogs"] if catalog.plane == row.plane}
        if complete.gap_of("catalogs", row.plane, None, metastore) is not None:
            answers.add(None)
        serves = True if True in answers else None if None in answers else False
        found.append(ExternalLocation(**{**values, "serves_production": serves}))
    return found


def _serves(location: Fact, catalog: Fact, places: Places) -> bool | None:
    """Does the catalog stand in production, and its storage under the location? None where either is not known."""
    url, root = location.__dict__.get("url"), catalog.__dict__.get("storage_root")
    inside = None if url is None or root is None else f"{root.rstrip('/')}/".startswith(f"{url.rstrip('/')}/")
    if inside is False:
        return False
    stage = places.of(TABLES["catalogs"], catalog.__dict__).stage
    production = None if stage is None else stage == "production"
    return False if production is False else None if inside is None else production
