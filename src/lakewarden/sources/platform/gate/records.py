"""What was recorded about the candidate: tags of its own and of its run, when it was registered, and who made it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from lakewarden.errors import SourceError
from lakewarden.facts.gaps import Cause
from lakewarden.sources.platform.databricks.approvals import ask_version
from lakewarden.sources.platform.databricks.captured import READ
from lakewarden.sources.platform.databricks.job_runs import USER, Told
from lakewarden.sources.platform.databricks.names import named
from lakewarden.sources.platform.databricks.once import once
from lakewarden.sources.platform.estate import DEPLOYED
from lakewarden.sources.platform.gate.candidate import asked_of
from lakewarden.sources.platform.mlflow.login import API, FAMILY
from lakewarden.sources.platform.wire.errors import Failed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.facts.fact import Fact
    from lakewarden.policy.model import Policy
    from lakewarden.sources.platform.estate import Estate

#: Clocks of a job and of the registry differ.
SLACK = dt.timedelta(minutes=10)


def candidates(estate: Estate) -> Iterator[tuple[Fact, Fact]]:
    """Each candidate with its version; one whose version was not read has gaps of its own."""
    versions = {row.key: row for row in estate.facts.rows["model_versions"] if row.plane == DEPLOYED}
    for candidate in estate.facts.rows["candidates"]:
        if candidate.key in versions:
            yield candidate, versions[candidate.key]


def unresolved(reason: str, remedy: str) -> SourceError:
    """Evidence that is not there, and the one change that would supply it."""
    return SourceError(Cause.UNRESOLVED.value, reason, remedy)


def told_by_mlflow(estate: Estate, key: str) -> dict[str, Any]:
    """The candidate as MLflow's API tells it, with its tags. Raises a SourceError where it cannot be read."""
    request, number = asked_of(estate), key.rpartition("/")[2]
    if request.registry == "unity_catalog":
        return once(estate, f"version {key}", lambda: ask_version(estate, request.name, number))
    row: dict[str, Any] | None = (estate.kept.get("version rows") or {}).get(number)
    if row is None:
        raise Failed(f"version {key} was not read", "run again")
    return row


def own_tags(estate: Estate, version: Fact) -> dict[str, str]:
    """The tags of a version; none of one that is a copy by the policy's choice, whose tags are another's. Raises a SourceError
    where they cannot be read.
    """
    policy: Policy = estate.kept["policy"]
    if policy.parameters.deployment_pattern == "deploy-models":
        return {}
    return pairs(told_by_mlflow(estate, version.key).get("tags"))


def tags_of_original(estate: Estate, version: Fact) -> dict[str, str]:
    """The tags of the version that this one is a copy of, which a copy brings along; none where it is no copy.

    Raises a SourceError where they cannot be read: then nobody can tell which tags are the copy's own.
    """
    source = version.__dict__.get("copied_from")
    if source == "none":
        return {}
    unity = asked_of(estate).registry == "unity_catalog"
    place = f"{estate.metastore if unity else estate.workspace}/"
    name, _, number = str(source).removeprefix(place).rpartition("/")
    if source is None or not str(source).startswith(place) or not number.isdigit():
        reason = f"{version.key} is a copy, and which of its tags came along with it cannot be told"
        raise unresolved(reason, "record the validation on a version that was registered from its run")
    if unity:
        return pairs(once(estate, f"version {source}", lambda: ask_version(estate, name, number)).get("tags"))
    query, right = {"name": name, "version": number}, f"READ on the model {name}"
    said = estate.api.get(f"{API}/model-versions/get", query, family=FAMILY, right=right)
    return pairs((said.get("model_version") or {}).get("tags"))


def run_of(estate: Estate, version: Fact) -> Any:
    """What was read of the run behind a version; None where it has none. Raises a SourceError where that was not read."""
    key = version.__dict__.get("run")
    if key == "none":
        return None
    read = estate.kept.get(READ, {}).get(key)
    if read is None:
        raise unresolved(f"the run of {version.key} was not read", "give its workspace with --workspace, and CAN_READ there")
    return read


def registered_at(estate: Estate, version: Fact) -> dt.datetime | None:
    """When the version was registered."""
    row = (estate.kept.get("version rows") or {}).get(version.key.rpartition("/")[2]) or {}
    return of_millis(row.get("created_at") or row.get("creation_timestamp"))


def makers(estate: Estate, version: Fact) -> dict[str | None, str]:
    """Who registered the version and who trained it, `kind:name`, each with what it did; None is somebody who is not known."""
    found: dict[str | None, str] = {version.__dict__.get("created_by"): "registered"}
    try:
        read = run_of(estate, version)
    except SourceError:
        read = None
    told: Any = None if read is None else read.job
    tagged = None if read is None else read.tags.get(USER) or read.info.get("user_id")
    keys = {named(tagged).key} if tagged else set[str | None]()
    if isinstance(told, Told) and told.job is not None and (runner := told.job.get("run_as_user_name")):
        keys.add(named(runner).key)
    elif told is not None and not _ran_as_principal(estate, version, keys):
        keys.add(None)  # the tag is what anybody may write who may edit the run
    return {**dict.fromkeys(keys or {None}, "trained"), **found}


def _ran_as_principal(estate: Estate, version: Fact, keys: set[str | None]) -> bool:
    """Is the job run known to have run as a service principal, as the tag says too? Then whoever it was is no person."""
    run = version.__dict__.get("run")
    of_run = {row.__dict__.get("job_run") for row in estate.facts.rows["runs"] if row.key == run}
    kinds = {row.__dict__.get("run_as_kind") for row in estate.facts.rows["job_runs"] if row.key in of_run}
    return kinds == {"service_principal"} and len(keys) == 1 and str(next(iter(keys))).startswith("service_principal:")


def of_millis(value: Any) -> dt.datetime | None:
    """A time in milliseconds since 1970."""
    try:
        millis = int(value)
        return dt.datetime.fromtimestamp(millis / 1000, dt.timezone.utc) if millis > 0 else None
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def in_time(when: dt.datetime, after: dt.datetime | None, most_days: int) -> bool | None:
    """Was it after that, and is it no older than so many days? None for a time that is still to come."""
    today = dt.datetime.now(tz=dt.timezone.utc)
    if when > today + SLACK:
        return None
    if today - when > dt.timedelta(days=most_days):
        return False
    return None if after is None else when >= after


def pairs(tags: Any) -> dict[str, str]:
    """Tags as MLflow's API tells them, by name."""
    return {str(one.get("key")): str(one.get("value")) for one in tags or () if isinstance(one, dict)}
