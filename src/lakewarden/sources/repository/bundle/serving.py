"""Registered models, and the endpoints that serve them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lakewarden.facts.model.registry import Model, ServedEntity
from lakewarden.sources.repository.bundle.merge import is_null
from lakewarden.sources.repository.bundle.reader import NONE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lakewarden.sources.repository.bundle.reader import Reader
    from lakewarden.sources.yaml_nodes import Map

_FOUNDATION = ("system.ai.", "databricks-")
_LEVELS = 3
#: What is known once the bundle is deployed, `${workspace.current_user.short_name}`: its dots part no levels.
_UNRESOLVED = re.compile(r"\$\{[^${}]*\}")
_ALL = 100


def read_models(reader: Reader) -> None:
    """Write the models that the target declares in the workspace registry; those of Unity Catalog are securables too."""
    for name, model in reader.resources("models"):
        text = reader.text(model.get("name"), "models", name)
        reader.facts.add(
            Model(
                key=f"{reader.key}/models.{name}",
                project=reader.project,
                name=None if text is None else text.lower(),
                catalog=NONE,
                target=reader.key,
                registry="workspace",
                origin=model.origin,
            )
        )


def read_served_entities(reader: Reader) -> None:
    """Write what the endpoints of the target serve."""
    for name, endpoint in reader.resources("model_serving_endpoints"):
        config = reader.map(endpoint.get("config"), "served_entities")
        if config is None:
            continue
        field = "served_entities" if not is_null(config.get("served_entities")) else "served_models"
        entities = reader.maps(config.get(field), "served_entities")
        traffic, known = reader.block(config.get("traffic_config"), "served_entities")
        routes = reader.maps(traffic.get("routes"), "served_entities") if traffic is not None else [] if known == NONE else None
        challenger = _is_challenger(reader, endpoint)
        for at, entity in enumerate(entities):
            _entity(
                reader,
                f"{reader.key}/model_serving_endpoints.{name}/{at}",
                entity,
                _sole(reader, entity, entities, routes),
                challenger,
            )


def _entity(reader: Reader, key: str, entity: Map, sole: bool | None, challenger: bool | None) -> None:
    name = entity.get("entity_name") or entity.get("model_name")
    external = not is_null(entity.get("external_model")) or not is_null(entity.get("foundation_model"))
    text = reader.text(name, "served_entities")
    lower = None if text is None else text.lower()
    if lower is not None and lower.startswith(_FOUNDATION):
        external = True
    levels = [] if lower is None else _UNRESOLVED.sub("x", lower).split(".")
    known = lower is not None and not lower.startswith("${")
    catalog = None if not known else str(lower).split(".")[0] if len(levels) == _LEVELS else NONE
    version = entity.get("entity_version") or entity.get("model_version")
    reader.facts.add(
        ServedEntity(
            key=key,
            project=reader.project,
            place=reader.key,
            target=reader.key,
            entity_name=lower,
            entity_version=None if is_null(version) else reader.number(version, "served_entities", None),
            catalog=catalog,
            external=external,
            sole_route=sole,
            challenger=challenger,
            origin=entity.origin,
        )
    )


def _sole(reader: Reader, entity: Map, entities: Sequence[Map], routes: Sequence[Map] | None) -> bool | None:
    """Does the entity take all the traffic?"""
    if len(entities) == 1:
        return True
    if routes is None:
        return None
    name = reader.text(entity.get("name"), "served_entities")
    shares = []
    for route in routes:
        share = reader.number(route.get("traffic_percentage"), "served_entities", 0)
        served = reader.text(route.get("served_model_name") or route.get("served_entity_name"), "served_entities")
        if share == _ALL:
            return None if name is None or served is None else name == served
        shares.append(share)
    return None if None in shares else False


def _is_challenger(reader: Reader, endpoint: Map) -> bool | None:
    """Do the endpoint's tags speak of a challenger?"""
    told: list[str | None] = []
    for tag in reader.maps(endpoint.get("tags"), "served_entities"):
        told += [reader.text(tag.get(field), "served_entities") for field in ("key", "value")]
    if any(word in text.lower() for text in told if text is not None for word in ("challenger", "canary", "shadow")):
        return True
    return None if None in told else False
