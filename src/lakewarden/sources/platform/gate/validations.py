"""Validations of the candidate: what the validating task recorded as tags, and the deployment job of the version."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from lakewarden.errors import SourceError
from lakewarden.facts.model.gate import Validation
from lakewarden.policy.attribute import gate_of
from lakewarden.sources.platform.databricks.once import attempt
from lakewarden.sources.platform.estate import DEPLOYED, Collector, Need
from lakewarden.sources.platform.gate.candidate import asked_of
from lakewarden.sources.platform.gate.deployment_job import Ran, ran_for
from lakewarden.sources.platform.gate.records import (
    candidates,
    in_time,
    own_tags,
    registered_at,
    run_of,
    tags_of_original,
    unresolved,
)
from lakewarden.sources.platform.git_host.people import moment
from lakewarden.sources.platform.wire.errors import Failed

if TYPE_CHECKING:
    from lakewarden.facts.fact import Fact
    from lakewarden.facts.origin import Origin
    from lakewarden.policy.model import Policy
    from lakewarden.sources.platform.estate import Estate

RESULT, MODE, AT = "lakewarden.validation", "lakewarden.validation_mode", "lakewarden.validated_at"
#: Where it is kept when each validation was made, by its key.
WHEN = "validated at"
_RESULTS = {"passed": True, "failed": False}
_MODES = {"enforced": True, "dry_run": False, "disabled": False}
HOW = (
    f"let the validating task set the tags {RESULT} (PASSED or FAILED), {MODE} (enforced or dry_run) and {AT} "
    "(such as 2026-01-31T12:00:00Z) on the version"
)


def collect(estate: Estate) -> None:
    """Write every validation of the candidate that somebody recorded. Nothing that was recorded is missing evidence."""
    for candidate, version in candidates(estate):
        with estate.facts.listing("validations", plane=DEPLOYED, of=candidate.key, origin=version.origin):
            problems: list[SourceError] = []
            found = [
                *(attempt(problems, lambda version=version: _of_version(estate, version)) or ()),  # type: ignore[misc]  # a default
                *(attempt(problems, lambda version=version: _of_run(estate, version)) or ()),  # type: ignore[misc]
                *(attempt(problems, lambda version=version: _of_job(estate, version)) or ()),  # type: ignore[misc]
            ]
            estate.facts.add(*found)
            if problems:
                raise problems[0]
            if not found:
                raise unresolved(f"nobody recorded a validation of {version.key}", HOW)


def _of_version(estate: Estate, version: Fact) -> list[Validation]:
    """The record on the version itself, unless all of it came along with a copy."""
    tags = own_tags(estate, version)
    if RESULT not in tags or is_inherited(estate, version, tags, (RESULT, MODE, AT)):
        return []
    return [_recorded(estate, version, "tags", tags, version.origin)]


def is_inherited(estate: Estate, version: Fact, tags: dict[str, str], names: tuple[str, ...]) -> bool:
    """Are these tags what the version that this one is a copy of has too? Raises a SourceError where that cannot be told."""
    before = tags_of_original(estate, version)
    return bool(before) and all(tags.get(name) == before.get(name) for name in names)


def _of_run(estate: Estate, version: Fact) -> list[Validation]:
    """The record on the run, which is about this version where the run logged one model alone."""
    read = run_of(estate, version)
    if read is None or RESULT not in read.tags:
        return []
    logged = {one.get("model_id") for one in (read.data.get("outputs") or {}).get("model_outputs") or ()}
    if len(logged) > 1:
        reason = f"the run of {version.key} logged {len(logged)} models, and its tag {RESULT} does not say which one it is about"
        raise unresolved(reason, HOW)
    run = str(version.__dict__["run"])
    row = next((row for row in estate.facts.rows["runs"] if row.key == run), None)
    return [_recorded(estate, version, "run", read.tags, version.origin if row is None else row.origin)]


def _recorded(estate: Estate, version: Fact, source: str, tags: dict[str, str], origin: Origin | None) -> Validation:
    """A record in tags. What a tag leaves open is told with the tag."""
    key = f"{version.key}/{source}"
    row = Validation(key=key, plane=DEPLOYED, origin=origin, version_key=version.key)
    row.passed = _RESULTS.get(tags[RESULT].strip().casefold())
    if row.passed is None:
        reason = f"the tag {RESULT} of {version.key} says {tags[RESULT]!r}"
        estate.unexplained("validations", version.key, reason, f"set {RESULT} to PASSED or FAILED", origin)
    row.enforced = _MODES.get(tags.get(MODE, "").strip().casefold())
    if row.enforced is None:
        said = f"says {tags[MODE]!r}" if MODE in tags else "is not there"
        reason = f"the tag {MODE} of {version.key} {said}, so nobody can tell whether the validation could have refused it"
        estate.unexplained("validations", version.key, reason, f"set {MODE} to enforced, and let the validation raise", origin)
    try:
        row.after_creation = _timely(estate, version, key, _validated_at(tags, version.key))
    except SourceError as problem:
        estate.unexplained("validations", version.key, problem.reason, problem.remedy, origin)
    return row


def _validated_at(tags: dict[str, str], what: str) -> dt.datetime:
    """When a validation was made, by its record. Raises a SourceError where it does not say so."""
    try:
        return dt.datetime.fromisoformat(moment(tags.get(AT, "").strip(), f"the tag {AT} of {what}"))
    except (Failed, ValueError):
        reason = f"the tag {AT} of {what} tells no time" if AT in tags else f"{what} has no tag {AT}"
        raise unresolved(reason, f"set {AT} to the time of the validation, such as 2026-01-31T12:00:00Z") from None


def _timely(estate: Estate, version: Fact, key: str, when: dt.datetime) -> bool:
    """Was the version registered before that, and is it not too old? Raises a SourceError where that cannot be told."""
    estate.kept.setdefault(WHEN, {})[key] = when
    policy: Policy = estate.kept["policy"]
    said = in_time(when, registered_at(estate, version), gate_of(policy, asked_of(estate).name).validation_max_age)
    if said is None:
        reason = (
            f"the validation of {version.key} is of {when:%Y-%m-%dT%H:%M:%SZ}, which is not known to be after its registration"
        )
        raise unresolved(reason, f"set {AT} to the time of the validation, in UTC")
    return said


def _of_job(estate: Estate, version: Fact) -> list[Validation]:
    """The validating tasks of the version's deployment job."""
    if asked_of(estate).registry != "unity_catalog":
        return []
    return [_ran(estate, version, one) for one in ran_for(estate, version)]


def _ran(estate: Estate, version: Fact, one: Ran) -> Validation:
    key = f"{version.key}/job run {one.run}/{one.task}"
    row = Validation(
        key=key, plane=DEPLOYED, origin=one.origin, version_key=version.key, enforced=one.enforced, passed=one.passed
    )
    if None in (one.enforced, one.passed):
        estate.unexplained("validations", version.key, one.reason, one.remedy, one.origin)
    try:
        if one.started is None:
            raise unresolved(f"task {one.task} of job run {one.run} has no start", "run the deployment job again")
        row.after_creation = _timely(estate, version, key, one.started)
    except SourceError as problem:
        estate.unexplained("validations", version.key, problem.reason, problem.remedy, one.origin)
    return row


COLLECTOR = Collector(
    "validations of the version",
    frozenset({"validations"}),
    (
        Need("GET /api/2.0/mlflow/unity-catalog/model-versions/get", "EXECUTE on the model: tags and the deployment job's run"),
        Need("GET /api/2.2/jobs/runs/get", "CAN_VIEW on the deployment job"),
    ),
    collect,
)
