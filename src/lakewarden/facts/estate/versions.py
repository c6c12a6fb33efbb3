"""Which version of a model is live, and what the policy asks of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakewarden.facts.estate import serving
from lakewarden.facts.model.registry import Champion, Model, ModelVersion, RequiredTag, ServedEntity
from lakewarden.policy.attribute import is_champion

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lakewarden.facts.completeness import Completeness
    from lakewarden.facts.fact import Fact
    from lakewarden.policy.model import Policy


def champions(rows: Mapping[str, Sequence[Fact]], policy: Policy, complete: Completeness) -> Iterator[Champion]:
    """The champion of each live model whose aliases were all seen: the version of the first alias of the policy."""
    written = {(row.plane, row.key) for row in rows["champions"]}
    aliases = _aliases(rows, policy)
    for model in rows["models"]:
        if model.plane == "declared" or (model.plane, model.key) in written:
            continue
        found = aliases.get((model.plane, model.key), {})
        first = next((name.casefold() for name in policy.champion_aliases if name.casefold() in found), None)
        unseen = complete.gap_of("model_aliases", model.plane, None, model.key)
        if unseen is not None:
            complete.hole("champions", model.plane, model.key, unseen)
            continue
        complete.mark("champions", model.plane, model.key)
        if first is None:
            continue
        version = found[first]
        number = (version or "").rpartition("/")[2]
        yield Champion(
            key=model.key,
            plane=model.plane,
            project=model.project,
            origin=model.origin,
            version=int(number) if number.isdigit() else None,
            version_key=version,
        )


def versions(rows: Mapping[str, Sequence[Fact]], policy: Policy, complete: Completeness) -> list[Fact]:
    """The versions, each with the job run that trained it, whether it is live, and whether it was so before the policy, where
    the source left that open. What was live before was adopted.
    """
    pointed = {(plane, key) for (plane, _), of in _aliases(rows, policy).items() for key in of.values()}
    of = serving.metastores(rows)
    served = {(row.plane, serving.version_of(row, of)) for row in rows["served_entities"] if row.plane != "declared"}
    # What a gate is asked about is judged as if it were live already.
    served |= {(row.plane, row.__dict__.get("version_key")) for row in rows["candidates"] if row.__dict__.get("version_key")}
    job_runs = {(row.plane, row.key): row.__dict__.get("job_run") for row in rows["runs"]}
    adoptions: dict[tuple[str, str], list[bool | None]] = {}
    for row in rows["attestations"]:
        if row.__dict__.get("kind") == "adoption":
            adoptions.setdefault((row.plane, row.__dict__["version_key"]), []).append(row.__dict__.get("valid"))
    doubt = {plane: _doubt(rows, complete, plane, served) for plane in {row.plane for row in rows["model_versions"]}}
    found: list[Fact] = []
    for row in rows["model_versions"]:
        if row.plane == "declared":
            found.append(row)
            continue
        values = row.__dict__
        at = (row.plane, row.key)
        live: bool | None = values.get("live")
        if live is None:
            live = at in pointed or at in served
            # An alias whose version is not known may be of any.
            unseen = (row.plane, None) in pointed or doubt[row.plane]
            if not live and (unseen or complete.gap_of("model_aliases", row.plane, None, values["model"]) is not None):
                live = None
        run = str(values.get("run"))
        job_run = values.get("job_run") or ("none" if run == "none" else job_runs.get((row.plane, run)))
        before: bool | None = values.get("before_policy")
        before = _adopted(adoptions.get(at, [])) if before is None else before
        found.append(ModelVersion(**{**values, "live": live, "job_run": job_run, "before_policy": before}))
    return found


def _adopted(valid: list[bool | None]) -> bool | None:
    return True if True in valid else None if None in valid else False


def models(rows: Mapping[str, Sequence[Fact]]) -> list[Fact]:
    """The models, each with whether an endpoint uses it. What jobs and code load is not to be seen in a workspace."""
    of = serving.metastores(rows)
    served = {(row.plane, serving.model_of(row, of)) for row in rows["served_entities"] if row.plane != "declared"}
    found: list[Fact] = []
    for row in rows["models"]:
        if row.plane != "declared" and row.__dict__.get("consumed") is None and (row.plane, row.key) in served:
            found.append(Model(**{**row.__dict__, "consumed": True}))
        else:
            found.append(row)
    return found


def served(rows: Mapping[str, Sequence[Fact]]) -> list[Fact]:
    """What endpoints serve, each with the key of its model, under which its champion stands."""
    of = serving.metastores(rows)
    found: list[Fact] = []
    for row in rows["served_entities"]:
        values = row.__dict__
        if row.plane == "declared" or values.get("champion") is not None:
            found.append(row)
        else:
            found.append(ServedEntity(**{**values, "champion": serving.model_of(row, of)}))
    return found


def required_tags(rows: Mapping[str, Sequence[Fact]], policy: Policy, complete: Completeness) -> Iterator[RequiredTag]:
    """Each tag that the policy requires, for each live-plane version: does the version carry it?"""
    tags = {(row.plane, row.__dict__["version_key"], row.__dict__.get("name")) for row in rows["model_version_tags"]}
    written = {(row.plane, row.__dict__["version_key"]) for row in rows["required_tags"]}
    for row in rows["model_versions"]:
        if row.plane == "declared" or (row.plane, row.key) in written:
            continue
        complete.mark("required_tags", row.plane, row.key)
        unseen = complete.gap_of("model_version_tags", row.plane, None, row.key) is not None
        for name in policy.required_tags:
            present: bool | None = (row.plane, row.key, name) in tags
            yield RequiredTag(
                key=f"{row.key}/{name}",
                plane=row.plane,
                project=row.project,
                origin=row.origin,
                version_key=row.key,
                present=None if unseen and not present else present,
            )


def _aliases(rows: Mapping[str, Sequence[Fact]], policy: Policy) -> dict[tuple[str, str], dict[str, Any]]:
    """By model: the champion aliases in lower case, each with the key of its version (None where it is not known)."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows["model_aliases"]:
        alias = row.__dict__.get("alias")
        if row.plane != "declared" and alias is not None and is_champion(policy, alias):
            found.setdefault((row.plane, row.__dict__["model"]), {})[alias.casefold()] = row.__dict__.get("version_key")
    return found


def _doubt(rows: Mapping[str, Sequence[Fact]], complete: Completeness, plane: str, served: set[tuple[str, str | None]]) -> bool:
    """May an endpoint that was not seen, or not wholly, serve a version?"""
    places = [row.key for row in rows["workspaces"] if row.plane == plane]
    if (plane, None) in served:
        return True
    if complete.whole("served_entities", plane):
        return False
    return not places or any(complete.gap_of("served_entities", plane, None, key) is not None for key in places)
