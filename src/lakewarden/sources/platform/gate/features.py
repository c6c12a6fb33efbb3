"""The feature tables that a version looks up, each with whether it has a primary key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakewarden.errors import SourceError
from lakewarden.facts.gaps import Cause
from lakewarden.facts.model.gate import VersionFeature
from lakewarden.sources.platform.databricks.rights import FAMILY, UNITY
from lakewarden.sources.platform.databricks.run_inputs import catalog_of
from lakewarden.sources.platform.estate import DEPLOYED, Collector, Need
from lakewarden.sources.platform.gate.candidate import asked_of
from lakewarden.sources.platform.wire.gather import gather

if TYPE_CHECKING:
    from lakewarden.sources.platform.estate import Estate


def collect(estate: Estate) -> None:
    """Ask for the keys of each feature table that the registry says the version depends on."""
    for candidate in estate.facts.rows["candidates"]:
        with estate.facts.listing("version_features", plane=DEPLOYED, of=candidate.key, origin=candidate.origin):
            row = (estate.kept.get("version rows") or {}).get(candidate.key.rpartition("/")[2])
            if row is None:
                raise SourceError(Cause.FAILED.value, f"version {candidate.key} was not read", "see why, above")
            if asked_of(estate).registry != "unity_catalog":
                continue  # other registries know no feature tables
            if row.get("browse_only") is True:
                raise SourceError(Cause.REFUSED.value, "what the version depends on is not shown", "grant EXECUTE on the model")
            _write(estate, candidate.key, row)


def _write(estate: Estate, version: str, row: dict[str, Any]) -> None:
    dependencies = (row.get("model_version_dependencies") or {}).get("dependencies") or ()
    names = [
        str(one["table"]["table_full_name"]).lower() for one in dependencies if (one.get("table") or {}).get("table_full_name")
    ]
    own = asked_of(estate).name.partition(".")[0]

    def ask(name: str) -> dict[str, Any]:
        return estate.api.get(f"{UNITY}/tables/{name}", family=FAMILY, right=f"SELECT on the table {name}")

    for name, answer in gather(ask, list(dict.fromkeys(names))):
        origin = estate.at(f"{UNITY}/tables/{name}")
        key, has_key = f"{version}/{name}", None
        try:
            constraints = answer.get().get("table_constraints") or ()
            has_key = any(one.get("primary_key_constraint") for one in constraints)
        except SourceError as problem:
            estate.unexplained("version_features", version, problem.reason, problem.remedy, origin)
        catalog = catalog_of("delta_table", {"delta_table_name": name})
        estate.facts.add(
            VersionFeature(
                key=key,
                plane=DEPLOYED,
                origin=origin,
                version_key=version,
                catalog=own,
                table_catalog=catalog,
                has_key=has_key,
            )
        )


COLLECTOR = Collector(
    "feature tables",
    frozenset({"version_features"}),
    (Need("GET /api/2.1/unity-catalog/tables/{full_name}", "SELECT on the feature tables of the version"),),
    collect,
)
