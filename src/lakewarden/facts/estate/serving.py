"""Which model, and which version of it, an endpoint of a live workspace serves: by keys, since two metastores may hold models
of one name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lakewarden.facts.fact import Fact

#: Levels of a name in Unity Catalog.
_LEVELS = 3
_DEPLOYED = "deployed"


def metastores(rows: Mapping[str, Sequence[Fact]]) -> dict[tuple[str, str], str | None]:
    """The metastore of each workspace, by plane and URL; None where it is not known."""
    return {(row.plane, row.key): row.__dict__.get("metastore") for row in rows["workspaces"]}


def model_of(entity: Fact, of: Mapping[tuple[str, str], str | None]) -> str | None:
    """Key of the model that an entity names, `none` for one that is no registered model; None where it cannot be told."""
    values = entity.__dict__
    name, place, external = values.get("entity_name"), values.get("place"), values.get("external")
    if external is True:
        return "none"
    if name is None or place is None or external is None:
        return None
    if len(name.split(".")) != _LEVELS:
        return f"{place}/{name}"
    metastore = of.get((entity.plane, place))
    return None if metastore is None else f"{metastore}/{name}"


def version_of(entity: Fact, of: Mapping[tuple[str, str], str | None]) -> str | None:
    """Key of the version that an entity serves, `none` for no registered model; None where it cannot be told."""
    model, number = model_of(entity, of), entity.__dict__.get("entity_version")
    if model in (None, "none"):
        return model
    return None if number is None else f"{model}/{number}"


def named_versions(rows: Mapping[str, Sequence[Fact]]) -> set[str | None]:
    """Keys of the versions that an alias, whatever its name, or an endpoint names; None among them where an endpoint serves
    one that cannot be told.
    """
    of = metastores(rows)
    aliases = {row.__dict__.get("version_key") for row in rows["model_aliases"] if row.plane == _DEPLOYED} - {None}
    return aliases | {version_of(row, of) for row in rows["served_entities"] if row.plane == _DEPLOYED}
