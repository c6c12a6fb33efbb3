"""How the candidate compares with the version that is live now, by the record of the validation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.errors import SourceError
from lakewarden.facts.model.gate import VersionComparison
from lakewarden.sources.platform.estate import DEPLOYED, Collector, Need, stage_of
from lakewarden.sources.platform.gate.candidate import asked_of
from lakewarden.sources.platform.gate.records import candidates, own_tags, run_of, unresolved
from lakewarden.sources.platform.gate.validations import AT, is_inherited
from lakewarden.sources.platform.mlflow.login import API, FAMILY
from lakewarden.sources.platform.wire.errors import Truncated

if TYPE_CHECKING:
    from lakewarden.facts.fact import Fact
    from lakewarden.sources.platform.estate import Estate

BASELINE, COMPARISON = "lakewarden.baseline", "lakewarden.comparison"
_RESULTS = {"not_worse": True, "worse": False}
_PRODUCTION = "Production"


def collect(estate: Estate) -> None:
    """Write the comparison of the candidate; for the first version that goes live thresholds decide."""
    for candidate, version in candidates(estate):
        with estate.facts.listing("version_comparisons", plane=DEPLOYED, of=candidate.key, origin=version.origin):
            live = live_versions(estate, version)
            number = version.key.rpartition("/")[2]
            if live == {number}:
                reason = f"{version.key} is live already, and what was live before it is not told"
                raise unresolved(reason, "gate a version before its alias is moved")
            shown = ", ".join(sorted(live - {number})) or "none"
            row = VersionComparison(key=version.key, plane=DEPLOYED, origin=version.origin, live_version=shown)
            if not live:
                row.against_live = True
                row.not_worse = _by_thresholds(estate, version)
            else:
                _compare(estate, version, row, live - {number})
            estate.facts.add(row)


def live_versions(estate: Estate, version: Fact) -> set[str]:
    """The numbers of all versions of the model that are live: by alias, and by stage in a registry that has stages.

    Raises a SourceError where they cannot all be told.
    """
    request, model = asked_of(estate), str(version.__dict__["model"])
    if not estate.is_whole("model_aliases", model):
        raise unresolved(f"which version of {request.name} is live is not known", f"grant the right to read {request.name}")
    names = {name.casefold() for name in request.champions}
    found = {
        str(row.__dict__.get("version_key")).rpartition("/")[2]
        for row in estate.facts.rows["model_aliases"]
        if row.__dict__["model"] == model and str(row.__dict__.get("alias")).casefold() in names
    }
    if request.registry != "unity_catalog":
        mark = '"' if "'" in request.name else "'"
        query = {"filter": f"name = {mark}{request.name}{mark}", "max_results": 1000}
        right, seen = f"READ on the model {request.name}", set[str]()
        for row in estate.api.pages(f"{API}/model-versions/search", "model_versions", query, family=FAMILY, right=right):
            seen.add(str(row.get("version")))
            if stage_of(row) == _PRODUCTION:
                found.add(str(row.get("version")))
        if version.key.rpartition("/")[2] not in seen:
            raise Truncated(f"the list of versions of {request.name} leaves {version.key} out", "run again")
    return found


def _by_thresholds(estate: Estate, version: Fact) -> bool | None:
    """Did an enforced validation pass, and none fail?"""
    rows = [row.__dict__ for row in estate.facts.rows["validations"] if row.__dict__["version_key"] == version.key]
    if any(row["passed"] is False for row in rows):
        return False
    if estate.is_whole("validations", version.key) and any(row["passed"] and row["enforced"] for row in rows):
        return True
    reason = f"no version is live, so thresholds decide, and no enforced validation of {version.key} is known to have passed"
    estate.unexplained("version_comparisons", version.key, reason, "record its validation, which C14 asks for", version.origin)
    return None


def _compare(estate: Estate, version: Fact, row: VersionComparison, live: set[str]) -> None:
    shown = " and ".join(sorted(live))
    how = f"let the validation compare with version {shown}, and set {BASELINE} to {shown} and {COMPARISON} to NOT_WORSE or WORSE"
    tags = _recorded(estate, version)
    if tags is None:
        raise unresolved(f"nobody recorded a comparison of {version.key} with version {shown}, which is live", how)
    (model, _, baseline), said = tags.get(BASELINE, "").strip().rpartition("/"), tags.get(COMPARISON, "").strip()
    same = model.removeprefix("models:/") in ("", asked_of(estate).name)
    if same and baseline.isascii() and baseline.isdigit():
        row.against_live = {str(int(baseline))} == live
    else:
        reason = f"the tag {BASELINE} of {version.key} " + (f"says {tags[BASELINE]!r}" if BASELINE in tags else "is not there")
        estate.unexplained("version_comparisons", version.key, reason, how, version.origin)
    row.not_worse = _RESULTS.get(said.casefold())
    if row.not_worse is None:
        reason = f"the tag {COMPARISON} of {version.key} " + (f"says {said!r}" if said else "is not there")
        estate.unexplained("version_comparisons", version.key, reason, how, version.origin)


def _recorded(estate: Estate, version: Fact) -> dict[str, str] | None:
    """The record on the version, else on its run if that logged one model alone; None where there is none."""
    tags = own_tags(estate, version)
    if not {BASELINE, COMPARISON}.isdisjoint(tags):
        return None if is_inherited(estate, version, tags, (BASELINE, COMPARISON, AT)) else tags
    try:
        read = run_of(estate, version)
    except SourceError:
        return None
    if read is None or {BASELINE, COMPARISON}.isdisjoint(read.tags):
        return None
    logged = (read.data.get("outputs") or {}).get("model_outputs") or ()
    return dict(read.tags) if len({one.get("model_id") for one in logged}) <= 1 else None


COLLECTOR = Collector(
    "comparison with the live version",
    frozenset({"version_comparisons"}),
    (Need("MLflow: GET /api/2.0/mlflow/model-versions/search", "READ on the model, in a registry with stages"),),
    collect,
)
