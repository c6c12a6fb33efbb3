"""The version itself in Unity Catalog: its model with aliases, its catalog and schema, and the version that is live now."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from lakewarden.errors import SourceError
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.data import Catalog, Schema
from lakewarden.facts.model.gate import Candidate
from lakewarden.policy.attribute import stage_before
from lakewarden.sources.platform.databricks.catalogs import securable
from lakewarden.sources.platform.databricks.models import model_of, path_of, read_aliases
from lakewarden.sources.platform.databricks.rights import FAMILY, UNITY
from lakewarden.sources.platform.databricks.versions import Seen, has_signature_of, read_tags, version_of
from lakewarden.sources.platform.estate import DEPLOYED, Collector, Need
from lakewarden.sources.platform.gate.request import Request
from lakewarden.sources.platform.gate.reread import ask_first
from lakewarden.sources.platform.wire.gather import gather

if TYPE_CHECKING:
    from lakewarden.facts.fact import Fact
    from lakewarden.facts.model.registry import Model
    from lakewarden.sources.platform.estate import Estate

#: Why lists of other objects were not read.
ONLY = "a gate looks at one version of one model"


def collect(estate: Estate) -> None:
    """Read the model, resolve its alias once, and read the version and the one that is live."""
    request = asked_of(estate)
    for table in ("catalogs", "schemas", "models", "model_versions"):
        estate.facts.otherwise(Gap(Cause.NOT_ASKED, table, ONLY, plane=DEPLOYED))
    _around(estate, request.name)
    path = path_of(request.name)
    said = ask_first(estate, path, {"include_aliases": "true"}, family=FAMILY, right=f"EXECUTE on the model {request.name}")
    model = model_of(estate, said)
    if model is None:
        return
    read_aliases(estate, [model])
    number = request.number or version_named(estate, model, request.alias)
    write_candidate(estate, model, number)
    numbers = dict.fromkeys(one for one in (number, *_live(estate, model, request)) if one is not None)
    _versions(estate, model, list(numbers))


def asked_of(estate: Estate) -> Request:
    """What the gate was asked."""
    request = estate.kept["request"]
    assert isinstance(request, Request)  # noqa: S101  (for the type alone)
    return request


def write_candidate(estate: Estate, model: Model, number: str | None) -> None:
    """Write the candidate; a version that could not be named has no key that anything else could have."""
    request = asked_of(estate)
    key = f"{model.key}/{number}"
    with estate.facts.listing("candidates", plane=DEPLOYED, of=estate.workspace, origin=model.origin):
        if number is None:
            reason = f"{request.name} has no alias {request.alias}"
            raise SourceError(Cause.FAILED.value, reason, f"set the alias, or name the version: models:/{request.name}/7")
        estate.facts.add(
            Candidate(
                key=key,
                plane=DEPLOYED,
                origin=model.origin,
                version_key=key,
                model=model.key,
                wanted_stage=request.stage,
                tested_stage=stage_before(estate.kept["policy"], request.stage) or "none",
                name_levels=request.levels,
            )
        )


def version_named(estate: Estate, model: Model, alias: str | None) -> str | None:
    """The number of the version that an alias of the model points to."""
    rows = [row.__dict__ for row in estate.facts.rows["model_aliases"] if row.__dict__["model"] == model.key]
    named = [row for row in rows if str(row.get("alias")).casefold() == str(alias).casefold()]
    # Whether case tells aliases apart depends on the registry, so the exact one comes first.
    named.sort(key=lambda row: row.get("alias") != alias)
    return str(named[0].get("version_key")).rpartition("/")[2] if named else None


def _live(estate: Estate, model: Model, request: Request) -> list[str | None]:
    return [version_named(estate, model, alias) for alias in request.champions]


def _around(estate: Estate, name: str) -> None:
    """The catalog and the schema, whose owners and grants reach the model."""
    catalog, schema, _ = name.split(".")
    parts: tuple[tuple[str, str, type[Fact], dict[str, Any]], ...] = (
        ("catalog", catalog, Catalog, {"name": catalog}),
        ("schema", f"{catalog}.{schema}", Schema, {"catalog": catalog}),
    )
    for kind, full, table, values in parts:
        key, path = f"{estate.metastore}/{full}", f"{UNITY}/{kind}s/{full}"
        try:
            said = estate.api.get(path, {"include_browse": "true"}, family=FAMILY, right=f"BROWSE on {catalog}")
        except SourceError as problem:
            at = estate.at(path)
            estate.facts.gap(Gap(Cause(problem.cause), "securables", problem.reason, problem.remedy, DEPLOYED, origin=at))
            said = {}
        row = table(key=key, plane=DEPLOYED, origin=estate.at(path), **values)
        if isinstance(row, Catalog):
            row.catalog_type = str(said.get("catalog_type") or "").removesuffix("_CATALOG") or None
        estate.facts.add(row)
        if said:
            estate.facts.add(securable(estate, kind, key, catalog, said, path))


def _versions(estate: Estate, model: Model, numbers: list[str]) -> None:
    def ask(number: str) -> dict[str, Any]:
        right = f"EXECUTE on the model {model.name}"
        return ask_first(estate, f"{path_of(str(model.name))}/versions/{number}", {}, family=FAMILY, right=right)

    facts: dict[str, Any] = {}
    used: list[Seen] = []
    for number, answer in gather(ask, numbers):
        one = Seen(f"{model.key}/{number}", model, number, {})
        try:
            one = one._replace(row=answer.get())
            estate.kept.setdefault("version rows", {})[number] = one.row
        except SourceError as problem:
            at = estate.at(f"{path_of(str(model.name))}/versions/{number}")
            estate.facts.gap(Gap(Cause(problem.cause), "model_versions", problem.reason, problem.remedy, DEPLOYED, origin=at))
            continue
        used.append(one)
        signed: bool | None = None
        try:
            signed = has_signature_of(estate, one)
        except SourceError as problem:
            estate.unexplained("model_versions", one.key, problem.reason, problem.remedy, model.origin)
        facts[one.key] = version_of(estate, one, signed)
        estate.facts.add(facts[one.key])
    read_tags(estate, used, facts, partial(ask_first, estate, part=_tags))


def _tags(said: dict[str, Any]) -> object:
    """The tags of a version, whatever their order: the rest of the answer tells of the deployment job that goes on meanwhile."""
    rows = (said.get("model_version") or {}).get("tags") or ()
    return sorted((str(one.get("key")), str(one.get("value"))) for one in rows)


COLLECTOR = Collector(
    "candidate",
    frozenset(
        {"candidates", "catalogs", "schemas", "securables", "models", "model_aliases", "model_versions", "model_version_tags"}
    ),
    (
        Need("GET /api/2.1/unity-catalog/models/{full_name}", "EXECUTE on the model"),
        Need("GET /api/2.1/unity-catalog/models/{full_name}/versions/{version}", "EXECUTE on the model"),
    ),
    collect,
)
