"""Tags of model versions, and what is known of an approval: never who gave it, sometimes that it came with a copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakewarden.errors import SourceError
from lakewarden.facts.model.registry import ModelVersionTag
from lakewarden.sources.platform.databricks.once import once
from lakewarden.sources.platform.databricks.system_tables import WITH_WAREHOUSE
from lakewarden.sources.platform.estate import DEPLOYED
from lakewarden.sources.platform.wire.errors import Failed

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakewarden.facts.fact import Fact
    from lakewarden.sources.platform.estate import Estate

#: Deployment jobs approve by a tag that is named like their approval task ("MLflow 3 deployment jobs").
_APPROVAL = "approv"
_PATH = "/api/2.0/mlflow/unity-catalog/model-versions/get"


def ask_version(estate: Estate, name: str, number: str, get: Callable[..., dict[str, Any]] | None = None) -> dict[str, Any]:
    """A version as MLflow's API tells it: only this answer has its tags. `get` asks in place of the estate's own."""
    query, right = {"name": name, "version": number}, f"EXECUTE on the model {name}"
    said = (get or estate.api.get)(_PATH, query, family="mlflow-tracking", right=right).get("model_version")
    if not isinstance(said, dict):
        raise Failed(f"the answer about version {number} of {name} holds no version", "run again; report it if it stays so")
    return said


def write_tags(estate: Estate, version: Fact, tags: list[dict[str, Any]]) -> None:
    """Write the tags of one version."""
    values = version.__dict__
    for tag in tags:
        name = str(tag.get("key"))
        approval = _APPROVAL in name.lower()
        key = f"{version.key}/{name}"
        if approval:
            reason = f"who set the tag {name} of {version.key} stands in the audit log alone"
            remedy = f"{WITH_WAREHOUSE}, which reads system.access.audit; or let CI approve the deployment"
            estate.unexplained("model_version_tags", key, reason, remedy, version.origin)
        estate.facts.add(
            ModelVersionTag(
                key=key,
                plane=DEPLOYED,
                origin=version.origin,
                version_key=version.key,
                catalog=values.get("catalog"),
                name=name,
                is_approval=approval,
                inherited=_inherited(estate, version, tag) if approval else None,
            )
        )


def _inherited(estate: Estate, version: Fact, tag: dict[str, Any]) -> bool | None:
    """Did the tag come along with a copy? Copying a version copies all of its tags, with their values."""
    source = version.__dict__.get("copied_from")
    if source in (None, "none"):
        return None if source is None else False
    place, _, full = str(source).partition("/")
    name, _, number = full.rpartition("/")
    if place != estate.metastore or not number.isdigit():
        return None
    try:
        tags = once(estate, f"version {source}", lambda: ask_version(estate, name, number)).get("tags") or ()
    except SourceError:
        return None  # the tags of the original cannot be compared
    return any((one.get("key"), one.get("value")) == (tag.get("key"), tag.get("value")) for one in tags)
