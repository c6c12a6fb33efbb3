"""Which versions of models are in use: what is asked about one version at a time is asked about these alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.facts.estate.serving import named_versions

if TYPE_CHECKING:
    from lakewarden.sources.platform.estate import Estate

#: Why the lists of other versions were not read.
NOT_IN_USE = "{} are read of versions that an alias or an endpoint names"


class Uses(NamedTuple):
    """The keys of versions that something names, and whether all endpoints were seen."""

    named: frozenset[str]
    endpoints_seen: bool


def uses(estate: Estate) -> Uses:
    """What aliases, whatever their names, and endpoints of all workspaces of the run name."""
    rows = estate.facts.rows
    named = named_versions(rows)
    places = [row.key for row in rows["workspaces"]]
    seen = None not in named and all(estate.is_whole("served_entities", key) for key in places)
    asked = {row.key for row in rows["candidates"]}  # a gate may be asked about a version that nothing names yet
    return Uses(frozenset({key for key in named if key is not None}) | asked, seen)


def is_used(estate: Estate, known: Uses, version: str, model: str, live: bool | None) -> bool | None:
    """Does anything name the version? None where that was not seen."""
    if live is True or version in known.named:
        return True
    return False if known.endpoints_seen and estate.is_whole("model_aliases", model) else None
