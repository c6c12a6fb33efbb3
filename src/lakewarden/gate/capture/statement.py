"""The provenance of a version: an in-toto Statement v1 with the predicate SLSA provenance v1, made and read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lakewarden import __version__
from lakewarden.facts.estate.commits import RUNGS
from lakewarden.gate.attestation.canonical import NotCanonicalError, canonical, parsed
from lakewarden.gate.attestation.statement import PAYLOAD, STATEMENT
from lakewarden.sources.platform.databricks.captured import JOB_RUN_COLUMNS, Capture, JobRunSaid, Rung

if TYPE_CHECKING:
    from lakewarden.gate.attestation.sign import Sealer

PROVENANCE = "https://slsa.dev/provenance/v1"
#: How the statement came to be. It changes when the same fields come to mean something else.
BUILD_TYPE = "urn:lakewarden:capture:v1"
_SHA256, _COMMIT = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class NotProvenanceError(ValueError):
    """A payload that is no provenance statement of ours."""


def statement_of(capture: Capture, uri: str, digest: str) -> dict[str, Any]:
    """The statement about a version: what it was trained from, by which job run. It holds no value of any parameter but these."""
    external = {
        "commit": capture.commit,
        "repository": capture.repository,
        "job": _url(capture, None),
        "target": capture.target,
        "deployment": capture.deployment,
    }
    internal = {
        "run": capture.run,
        "claimedJobRun": capture.claimed,
        "jobRun": None if capture.job_run is None else {"key": capture.job_run.key, **dict(capture.job_run.values)},
        "rung": capture.rung,
        "dirty": capture.dirty,
        "commitEvidence": [one._asdict() for one in capture.rungs],
    }
    metadata = {
        "invocationId": _url(capture, capture.number) or capture.run,
        "startedOn": capture.started,
        "finishedOn": capture.finished,
    }
    return {
        "_type": STATEMENT,
        "subject": [{"name": uri, "digest": {"sha256": digest}}],
        "predicateType": PROVENANCE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": _known(external),
                "internalParameters": _known(internal),
                "resolvedDependencies": _dependencies(capture),
            },
            "runDetails": {
                "builder": {"id": _url(capture, None) or capture.workspace, "version": {"lakewarden": __version__}},
                "metadata": _known(metadata),
            },
        },
    }


def _dependencies(capture: Capture) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if capture.commit is not None:
        source: dict[str, Any] = {"name": "source", "digest": {"gitCommit": capture.commit}}
        if capture.repository is not None:
            source["uri"] = f"git+{capture.repository}@{capture.commit}"
        found.append(source)
    for one in capture.inputs:
        told: dict[str, Any] = {"name": one.name, "annotations": _known({"context": one.context, "deltaVersion": one.version})}
        if one.is_table:
            told["uri"] = f"databricks-uc:{quote(one.name)}" + (f"?version={quote(one.version)}" if one.version else "")
        found.append(told)
    return found


def _url(capture: Capture, number: str | None) -> str | None:
    if capture.job is None or (number is None and capture.number is None):
        return None
    job = f"{capture.workspace}/jobs/{capture.job}"
    return job if number is None else f"{job}/runs/{number}"


def _known(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def read_statement(payload: bytes, payload_type: str, uri: str) -> tuple[Capture, str]:
    """The run that a statement about a version captured, and the digest of the version's files. Its signature was verified before.

    Raises:
        NotProvenanceError: it is no such statement, or is about something else.
    """
    if payload_type != PAYLOAD:
        raise NotProvenanceError("holds no in-toto statement")
    try:
        said = parsed(payload)
    except NotCanonicalError as problem:
        raise NotProvenanceError(str(problem)) from None
    try:
        if said["_type"] != STATEMENT or said["predicateType"] != PROVENANCE:
            raise NotProvenanceError("is no provenance")
        (subject,) = said["subject"]
        if subject["name"] != uri:
            raise NotProvenanceError(f"is about {str(subject['name'])[:200]}")
        digest = subject["digest"]["sha256"]
        if set(subject["digest"]) != {"sha256"} or not _SHA256.fullmatch(digest):
            raise NotProvenanceError("tells no SHA-256 of the version")
        built = said["predicate"]["buildDefinition"]
        if built["buildType"] != BUILD_TYPE:
            raise NotProvenanceError(f"was not made by {BUILD_TYPE}")
        return _capture(built["externalParameters"], built["internalParameters"], built["resolvedDependencies"]), digest
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        if isinstance(problem, NotProvenanceError):
            raise
        raise NotProvenanceError("has not the form of a captured statement") from problem


def _capture(external: dict[str, Any], internal: dict[str, Any], dependencies: list[dict[str, Any]]) -> Capture:
    commit, rung, dirty = external.get("commit"), internal.get("rung"), internal.get("dirty")
    sources = [one["digest"]["gitCommit"] for one in dependencies if "digest" in one]
    evidence = tuple(Rung(one["rung"], one["commit"], one.get("dirty")) for one in internal.get("commitEvidence") or ())
    if commit is not None and (not _COMMIT.fullmatch(commit) or rung not in RUNGS or sources != [commit]):
        raise NotProvenanceError("does not name one whole commit")
    if any(one.commit != commit for one in evidence) or (evidence and evidence[0].rung != rung) or (commit and not evidence):
        raise NotProvenanceError("names another commit than its evidence")
    if dirty not in (None, True, False):
        raise NotProvenanceError("does not say whether the tree was changed")
    job = internal.get("jobRun")
    return Capture(
        run=_text(internal["run"]),
        claimed=None if internal.get("claimedJobRun") is None else _text(internal["claimedJobRun"]),
        job_run=None
        if job is None
        else JobRunSaid(_text(job["key"]), tuple((name, _value(job.get(name))) for name in JOB_RUN_COLUMNS)),
        commit=commit,
        rung=rung,
        dirty=dirty,
        rungs=evidence,
    )


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise NotProvenanceError("has not the form of a captured statement")
    return value


def _value(value: Any) -> str | bool | None:
    return value if value is None or isinstance(value, bool) else _text(value)


def sealed(capture: Capture, uri: str, digest: str, sealer: Sealer) -> bytes:
    """The statement in its envelope."""
    return sealer.seal(canonical(statement_of(capture, uri, digest)))
