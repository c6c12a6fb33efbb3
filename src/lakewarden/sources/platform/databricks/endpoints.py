"""Serving endpoints, and which version of which model each serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lakewarden.errors import SourceError
from lakewarden.facts.model.registry import ServedEntity
from lakewarden.sources.platform.estate import DEPLOYED, Collector, Need, name_of
from lakewarden.sources.platform.wire.errors import Failed
from lakewarden.sources.platform.wire.gather import gather

if TYPE_CHECKING:
    from lakewarden.sources.platform.estate import Estate
    from lakewarden.sources.platform.wire.gather import Answer

_PATH = "/api/2.0/serving-endpoints"
_FAMILY = "serving"
#: Under which name the ids of endpoints are kept, by their names: permissions are asked for by id.
IDS = "ids of endpoints"
_LEVELS, _ALL = 3, 100
#: What the platform itself provides.
_FOUNDATION = "system."
_TRIAL = ("challenger", "canary", "shadow")


def collect(estate: Estate) -> None:
    """List the endpoints of the workspace and ask for each: lists leave out routes and changes under way."""
    with estate.facts.listing("served_entities", plane=DEPLOYED, of=estate.workspace, origin=estate.at(_PATH)):
        listed = list(estate.api.pages(_PATH, "endpoints", family=_FAMILY))
        answers = gather(lambda name: _ask(estate, name), [name_of(row) for row in listed])
        problems = [problem for name, answer in answers if (problem := _write(estate, name, answer)) is not None]
        if problems:
            raise problems[0]
        estate.rights.require_admin("serving endpoints")


def _ask(estate: Estate, name: str) -> dict[str, Any]:
    return estate.api.get(f"{_PATH}/{quote(name, safe='')}", family=_FAMILY, right=f"CAN_VIEW on the endpoint {name}")


def _write(estate: Estate, name: str, answer: Answer[dict[str, Any]]) -> SourceError | None:
    """Write what an endpoint serves; gives the reason where that could not be read."""
    try:
        said = answer.get()
    except SourceError as problem:
        return problem
    estate.kept.setdefault(IDS, {})[name] = said.get("id")
    config = said.get("config") or {}
    entities = config.get("served_entities") or config.get("served_models") or []
    # Foundation models, whose endpoints have no id, and an endpoint that is being made serve nothing of a registry.
    if not entities and said.get("id") and not said.get("pending_config"):
        return Failed(f"the answer about endpoint {name} does not say what it serves", "run again; report it if it stays so")
    routes = (config.get("traffic_config") or {}).get("routes") or []
    update = (said.get("state") or {}).get("config_update")
    for at, entity in enumerate(entities):
        model = entity.get("entity_name") or entity.get("model_name")
        model = model.lower() if isinstance(model, str) and model else None
        version = str(entity.get("entity_version") or entity.get("model_version") or "")
        external = bool(entity.get("external_model") or entity.get("foundation_model"))
        parts = (model or "").split(".")
        # A model has a version; a name in Unity Catalog without one is a function of type FEATURE_SPEC (SDK, `entity_name`).
        external = external or (model or "").startswith(_FOUNDATION) or (len(parts) == _LEVELS and not version)
        key, origin = f"{estate.workspace}/{name}/{at}", estate.at(f"{_PATH}/{name}")
        if not external and (model is None or not version.isdigit()):
            reason = f"endpoint {name} does not say which version of which model {entity.get('name') or 'it'} serves"
            estate.unexplained("served_entities", key, reason, "serve a numbered version of a model", origin)
        estate.facts.add(
            ServedEntity(
                key=key,
                plane=DEPLOYED,
                origin=origin,
                place=estate.workspace,
                entity_name=model if model is not None or not external else "none",
                entity_version=int(version) if version.isdigit() else None,
                catalog=None if model is None and not external else parts[0] if len(parts) == _LEVELS else "none",
                external=external,
                sole_route=_sole(entity, entities, routes),
                updating=None if update is None else update == "IN_PROGRESS",
                challenger=_is_challenger(said.get("tags") or ()),
            )
        )
    return None


def _sole(entity: dict[str, Any], entities: list[Any], routes: list[dict[str, Any]]) -> bool | None:
    """Does the entity take all the traffic? An endpoint that serves one thing has no routes to choose from."""
    if len(entities) == 1:
        return True
    name, shares = entity.get("name"), [route.get("traffic_percentage") for route in routes]
    for route in routes:
        if route.get("traffic_percentage") == _ALL:
            served = route.get("served_entity_name") or route.get("served_model_name")
            return None if name is None or served is None else bool(served == name)
    return None if not routes or None in shares else False


def _is_challenger(tags: Any) -> bool:
    told = [str(tag.get(field) or "").lower() for tag in tags for field in ("key", "value")]
    return any(word in text for text in told for word in _TRIAL)


COLLECTOR = Collector(
    "endpoints",
    frozenset({"served_entities"}),
    (
        Need("GET /api/2.0/serving-endpoints", "workspace admin"),
        Need("GET /api/2.0/serving-endpoints/{name}", "CAN_VIEW on the endpoint"),
    ),
    collect,
)
