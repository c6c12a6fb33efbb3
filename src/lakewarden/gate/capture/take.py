"""Takes from what was read of one version the run that is to be captured, if all of it was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.facts.gaps import Cause
from lakewarden.sources.platform.databricks.captured import READ, Capture, capture_of

if TYPE_CHECKING:
    from lakewarden.sources.platform.gate.read import Read

_LISTS = frozenset({"candidates", "model_versions", "artifacts", "runs", "run_inputs", "job_runs", "commit_evidence"})


class Taken(NamedTuple):
    """The run, its version by key, the model's name, and the digest of the files; `problems` in words."""

    capture: Capture | None = None
    version: str | None = None
    name: str = ""
    digest: str | None = None
    contradicts: bool = False
    problems: tuple[str, ...] = ()


def take(found: Read, asked: str) -> Taken:
    """The run behind the version that was asked for; none where a list of its evidence is not whole."""
    facts = found.facts
    candidate = next(iter(facts.rows["candidates"]), None)
    version = None if candidate is None else next((r for r in facts.rows["model_versions"] if r.key == candidate.key), None)
    if version is None:
        gaps = [
            gap
            for gap in facts.gaps
            if gap.facts in ("candidates", "models", "model_versions") and gap.cause is not Cause.NOT_ASKED
        ]
        return Taken(problems=tuple(gap.reason for gap in gaps) or (f"{asked} was not found",))
    run = str(version.__dict__.get("run"))
    about = {version.key, run}
    unseen = [gap for gap in facts.gaps if gap.facts in _LISTS and gap.parent in about and not gap.value]
    digest = next((r.__dict__.get("digest") for r in facts.rows["artifacts"] if r.key == version.key), None)
    runs = {} if found.home is None else found.home.kept.get(READ, {})
    if run not in runs or unseen or digest in (None, "none"):
        reasons = [gap.reason for gap in unseen] or [f"the run or the files of {version.key} could not be read"]
        return Taken(version=version.key, problems=tuple(dict.fromkeys(reasons)))
    capture, held = capture_of(facts, run.rpartition("/")[0], run, runs[run])
    name = version.key.rpartition("/")[0].removeprefix(f"{run.rpartition('/')[0]}/")
    name = name if "://" in version.key else name.rpartition("/")[2]
    problems = (
        []
        if capture.commit is not None
        else ["nothing tells the commit of the run: set MLFLOW_RUN_CONTEXT, or deploy with a bundle"]
    )
    if capture.job_run is not None:
        problems += [f"not known of the job run: {column}" for column, value in capture.job_run.values if value is None]
    contradicts = held.__dict__.get("agreed") is False
    return Taken(capture, version.key, name, str(digest), contradicts, tuple(problems))
