"""Models in Unity Catalog, by its own API and by the one that MLflow's client uses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.contract.answers.catalog import in_schema, one, showing
from tests.contract.asking import Answer, Answers, Ask, Listing, Refused, absent, missing

if TYPE_CHECKING:
    from tests.contract.store import Json

_BY_NAME = re.compile(r"name\s*=\s*['\"]([^'\"]+)['\"]")


def models(ask: Ask) -> Answer:
    named = ask.given("schema_name") is not None or ask.given("catalog_name") is not None
    rows = ask.estate.under("models", in_schema(ask)) if named else ask.estate.all("models")
    show = showing(ask, "function")
    return Listing("registered_models", rows, lambda row: _without(show(row), "aliases"))


def model(ask: Ask) -> Answer:
    row = one(ask, "function", "models", ask.parts[0])
    return row if ask.flag("include_aliases") else _kept(row, "aliases")


def versions(ask: Ask) -> Answer:
    one(ask, "function", "models", ask.parts[0])
    return Listing("model_versions", ask.estate.under("model_versions", ask.parts[0]))


def version(ask: Ask) -> Answer:
    parent = one(ask, "function", "models", ask.parts[0])
    row = _version(ask, ask.parts[0], ask.parts[1])
    aliases = [alias for alias in parent.get("aliases", ()) if alias["version_num"] == row["version"]]
    return row | ({"aliases": aliases} if aliases and ask.flag("include_aliases") else {})


def by_alias(ask: Ask) -> Answer:
    return _version(ask, ask.parts[0], _aliased(ask, ask.parts[0], ask.parts[1]))


def set_alias(ask: Ask) -> Answer:
    """Let an alias point to a version."""
    row, alias = _seeded(ask), ask.parts[1]
    found = _version(ask, ask.parts[0], str(ask.body["version_num"]))
    kept = [each for each in row.get("aliases", ()) if each["alias_name"] != alias]
    pointing: Json = {"alias_name": alias, "version_num": found["version"]}
    row["aliases"] = [*kept, pointing]
    return pointing


def _seeded(ask: Ask) -> Json:
    """The model itself, for one who may see it."""
    name = one(ask, "function", "models", ask.parts[0])["full_name"]
    row = ask.estate.find("models", name, name.rpartition(".")[0])
    assert row is not None
    return row


def delete_alias(ask: Ask) -> Answer:
    """Remove an alias."""
    row = _seeded(ask)
    _aliased(ask, ask.parts[0], ask.parts[1])
    row["aliases"] = [each for each in row["aliases"] if each["alias_name"] != ask.parts[1]]
    return {}


def set_tag(ask: Ask) -> Answer:
    """Write a tag of a version."""
    name, number = str(ask.body["name"]), str(ask.body["version"])
    _version(ask, name, number)
    ask.estate.version_tags.setdefault((name, number), {})[str(ask.body["key"])] = str(ask.body["value"])
    return {}


def mlflow_model(ask: Ask) -> Answer:
    name = ask.needed("name")
    return {"registered_model": _as_mlflow(ask, one(ask, "function", "models", name), whole=True)}


def mlflow_models(ask: Ask) -> Answer:
    show = showing(ask, "function")

    def listed(row: Json) -> Json | None:
        seen = show(row)
        return seen and _as_mlflow(ask, seen, whole=False)

    return Listing("registered_models", ask.estate.all("models"), listed)


def mlflow_version(ask: Ask) -> Answer:
    name = ask.needed("name")
    parent = one(ask, "function", "models", name)
    return {"model_version": _version_as_mlflow(ask, name, _version(ask, name, ask.needed("version")), parent)}


def mlflow_versions(ask: Ask) -> Answer:
    found = _BY_NAME.fullmatch((ask.given("filter") or "").strip())
    if found is None:
        raise Refused(400, "INVALID_PARAMETER_VALUE", "The filter must be name = '<model>'.")
    one(ask, "function", "models", found[1])
    rows = ask.estate.under("model_versions", found[1])
    return Listing("model_versions", rows, lambda row: _version_as_mlflow(ask, found[1], row, None))


def mlflow_alias(ask: Ask) -> Answer:
    name = ask.needed("name")
    parent = one(ask, "function", "models", name)
    row = _version(ask, name, _aliased(ask, name, ask.needed("alias")))
    return {"model_version": _version_as_mlflow(ask, name, row, parent)}


def file_of_version(ask: Ask) -> Answer:
    """A file of a registered version, as MLflow's client reads it below `/Models`."""
    place, _, parts = ask.parts[0].lstrip("/").partition("/")
    catalog, schema, name, number, path = (*parts.split("/", 4), "", "", "", "", "")[:5]
    full_name = f"{catalog}.{schema}.{name}"
    if place != "Models":
        raise absent(f"File {ask.parts[0]}")
    one(ask, "function", "models", full_name)
    _version(ask, full_name, number)
    if (content := ask.estate.version_files.get((full_name, number), {}).get(path)) is None:
        raise absent(f"File {ask.parts[0]}")
    return content


def files_of_version(ask: Ask) -> Answer:
    """What is in a folder of a registered version: its files, and the folders in it."""
    place, _, parts = ask.parts[0].lstrip("/").partition("/")
    catalog, schema, name, number, path = (*parts.split("/", 4), "", "", "", "", "")[:5]
    full_name = f"{catalog}.{schema}.{name}"
    if place != "Models":
        raise absent(f"Folder {ask.parts[0]}")
    one(ask, "function", "models", full_name)
    _version(ask, full_name, number)
    below = f"{path}/" if path else ""
    rows: dict[str, Json] = {}
    for file, content in ask.estate.version_files.get((full_name, number), {}).items():
        if file.startswith(below):
            first, slash, _ = file.removeprefix(below).partition("/")
            at = f"/Models/{catalog}/{schema}/{name}/{number}/{below}{first}"
            row: Json = {"path": at, "name": first, "is_directory": bool(slash), "last_modified": 1}
            rows[first] = row if slash else row | {"file_size": len(content)}
    return Listing("contents", list(rows.values()))


def _version(ask: Ask, name: str, number: str) -> Json:
    row = ask.estate.find("model_versions", number, name)
    if row is None:
        raise missing("model_version", f"{name}/{number}")
    return row


def _aliased(ask: Ask, name: str, alias: str) -> str:
    for known in one(ask, "function", "models", name).get("aliases", ()):
        if known["alias_name"] == alias:
            return str(known["version_num"])
    raise missing("registered_model_alias", f"{name}@{alias}")


def _as_mlflow(ask: Ask, row: Json, *, whole: bool) -> Json:
    # Searches send neither tags nor aliases.
    name = row["full_name"]
    told = {"name": name, "user_id": row.get("owner"), "creation_timestamp": row.get("created_at")}
    told |= {"last_updated_timestamp": row.get("updated_at"), "description": row.get("comment")}
    if whole:
        told["aliases"] = [{"alias": one["alias_name"], "version": str(one["version_num"])} for one in row.get("aliases", ())]
        told["tags"] = [{"key": key, "value": value} for key, value in ask.estate.model_tags.get(name, {}).items()]
        told["deployment_job_id"] = ask.estate.model_jobs.get(name)
    return {key: value for key, value in told.items() if value not in (None, [])}


def _version_as_mlflow(ask: Ask, name: str, row: Json, parent: Json | None) -> Json:
    told = {"name": name, "version": str(row["version"]), "user_id": row.get("created_by"), "status": row.get("status")}
    told |= {"creation_timestamp": row.get("created_at"), "source": row.get("source"), "run_id": row.get("run_id")}
    told |= {"description": row.get("comment"), "storage_location": row.get("storage_location")}
    workspace = row.get("run_workspace_id")
    told["run_tracking_server_id"] = None if workspace is None else str(workspace)
    if parent is not None:
        tags = ask.estate.version_tags.get((name, str(row["version"])), {})
        told["tags"] = [{"key": key, "value": value} for key, value in tags.items()]
        told["deployment_job_state"] = ask.estate.version_jobs.get((name, str(row["version"]))) or None
        aliases = [one for one in parent.get("aliases", ()) if one["version_num"] == row["version"]]
        told["aliases"] = [{"alias": one["alias_name"], "version": str(one["version_num"])} for one in aliases]
    return {key: value for key, value in told.items() if value not in (None, [])}


def _kept(row: Json, *dropped: str) -> Json:
    return {key: value for key, value in row.items() if key not in dropped}


def _without(row: Json | None, *dropped: str) -> Json | None:
    return None if row is None else _kept(row, *dropped)


_UC = "/api/2.1/unity-catalog/models"
_MLFLOW = "/api/2.0/mlflow/unity-catalog"
MODELS: Answers = {
    ("GET", _UC): models,
    ("GET", f"{_UC}/{{}}"): model,
    ("GET", f"{_UC}/{{}}/versions"): versions,
    ("GET", f"{_UC}/{{}}/versions/{{}}"): version,
    ("GET", f"{_UC}/{{}}/aliases/{{}}"): by_alias,
    ("PUT", f"{_UC}/{{}}/aliases/{{}}"): set_alias,
    ("DELETE", f"{_UC}/{{}}/aliases/{{}}"): delete_alias,
    ("POST", f"{_MLFLOW}/model-versions/set-tag"): set_tag,
    ("GET", "/api/2.0/fs/files{}"): file_of_version,
    ("GET", "/api/2.0/fs/directories{}"): files_of_version,
    ("GET", f"{_MLFLOW}/registered-models/get"): mlflow_model,
    ("GET", f"{_MLFLOW}/registered-models/search"): mlflow_models,
    ("GET", f"{_MLFLOW}/registered-models/alias"): mlflow_alias,
    ("GET", f"{_MLFLOW}/model-versions/get"): mlflow_version,
    ("GET", f"{_MLFLOW}/model-versions/search"): mlflow_versions,
}
