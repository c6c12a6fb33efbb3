"""The bytes of a version: whose run and model they say that they are, and their digest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from lakewarden.errors import SourceError
from lakewarden.facts.gaps import Cause
from lakewarden.facts.model.gate import Artifact
from lakewarden.sources.platform.estate import DEPLOYED, Collector, Need
from lakewarden.sources.platform.gate.belonging import is_of_run
from lakewarden.sources.platform.gate.candidate import asked_of
from lakewarden.sources.platform.gate.files import ModelFiles, files_of
from lakewarden.sources.platform.gate.records import run_of
from lakewarden.sources.platform.mlflow.login import API
from lakewarden.sources.platform.wire.errors import Missing

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakewarden.facts.fact import Fact
    from lakewarden.sources.platform.estate import Estate

_FILE = "MLmodel"
_MOST = 2**20
_LOGGED = "models:/m-"
#: Folders of a tracking server: a run's, `<experiment>/<run>/artifacts/…`, and a logged model's, `…/models/m-…/artifacts`.
_RUN = re.compile(r"(?:(?<=^runs:/)|(?<=/))([0-9a-f]{32})(?=/artifacts(?:/|$))|(?<=^runs:/)([0-9a-f]{32})(?=/|$)")
_LOGGED_AT = re.compile(r"/(m-[0-9a-f]{32})/artifacts(?:/|$)")


class Digester(NamedTuple):
    """How the digest of files is taken, and the digest that was attested or captured of a version before, None for none."""

    of: Callable[[ModelFiles], str]
    before: Callable[[str], str | None] = lambda _version: None


def collect(estate: Estate) -> None:
    """Read every file of the candidate once, and hold against each other what names its run and its logged model."""
    for candidate in estate.facts.rows["candidates"]:
        version = next((row for row in estate.facts.rows["model_versions"] if row.key == candidate.key), None)
        with estate.facts.listing("artifacts", plane=DEPLOYED, of=candidate.key, origin=(version or candidate).origin):
            if version is None:
                raise _unread(estate, candidate.key)
            estate.facts.add(_artifact(estate, candidate.key, version))


def _unread(estate: Estate, key: str) -> SourceError:
    """Why the version was not read, which is why its files were not."""
    gaps = (gap for gap in estate.facts.gaps if gap.facts == "model_versions" and gap.cause is not Cause.NOT_ASKED)
    why = next(gaps, None)
    if why is None:
        return SourceError(Cause.FAILED.value, f"version {key} was not read", "run again")
    return SourceError(why.cause.value, why.reason, why.remedy)


def _artifact(estate: Estate, key: str, version: Fact) -> Artifact:
    digester: Digester = estate.kept["digester"]
    row = estate.kept["version rows"].get(key.rpartition("/")[2]) or {}
    run = str(version.__dict__.get("run") or "").rpartition("/")[2]
    artifact = Artifact(key=key, plane=DEPLOYED, origin=version.origin)
    files = files_of(estate, asked_of(estate), row)
    said = _described(estate, key, files)
    models = {_text(said.get("model_id")), _logged_in(row.get("source")), _text(row.get("model_id"))} - {None}
    runs = {_text(said.get("run_id")) or "?", run} if said else set()
    runs |= {found[0] for found in _RUN.finditer(_text(row.get("source")) or "")}
    logged = _logged(estate, artifact, models)
    if logged is not None:
        runs.add(_text(logged.get("source_run_id")) or "?")
    if said:
        artifact.same_run = runs == {run} if "?" not in runs or len(runs - {"?"}) > 1 else None
        artifact.same_model = False if len(models) > 1 else True if logged is not None or not models else None
    if artifact.same_run:
        artifact.same_run = _is_of_run(estate, artifact, version, logged, files)
    elif artifact.same_run is None:
        _unknown(estate, artifact, "its MLmodel file, or its logged model, names no run")
    try:
        artifact.digest = digester.of(files)
    except Missing:
        artifact.digest = "none"
    before = digester.before(key)
    artifact.same_digest = before is None or before == artifact.digest
    return artifact


def _is_of_run(
    estate: Estate, artifact: Artifact, version: Fact, logged: dict[str, Any] | None, files: ModelFiles
) -> bool | None:
    """Files and logged model may be made to name any run: is it the run that logged them?"""
    try:
        run = run_of(estate, version)
    except SourceError as problem:
        _unknown(estate, artifact, problem.reason, problem.remedy)
        return None
    if run is None:
        return None
    found, why = is_of_run(run, logged, files.at)
    if found is None:
        _unknown(estate, artifact, why)
    return found


def _described(estate: Estate, key: str, files: ModelFiles) -> dict[str, Any]:
    """What the MLmodel file says; nothing where it cannot be read."""
    import yaml

    try:
        said = yaml.load(files.read(_FILE, _MOST), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 (both are safe)
    except SourceError as problem:
        estate.unexplained("artifacts", key, problem.reason, problem.remedy, None)
        return {}
    except yaml.YAMLError:
        said = None
    if not isinstance(said, dict):
        estate.unexplained("artifacts", key, f"the MLmodel file of {key} is no YAML mapping", "log the model again", None)
        return {}
    return said


def _logged(estate: Estate, artifact: Artifact, models: set[Any]) -> dict[str, Any] | None:
    """What the logged model says of itself; None where there is none, or it cannot be read."""
    if len(models) != 1:
        return None
    path = f"{API}/logged-models/{quote(str(next(iter(models))), safe='')}"
    try:
        info = (estate.api.get(path, family="mlflow-tracking", right="CAN_READ on the experiment").get("model") or {}).get("info")
    except SourceError as problem:
        _unknown(estate, artifact, problem.reason, problem.remedy)
        return None
    if not isinstance(info, dict):
        _unknown(estate, artifact, f"the answer about the logged model {path} holds none", "run again")
        return None
    return info


def _unknown(estate: Estate, artifact: Artifact, reason: str, remedy: str = "log the model in a run, and register that") -> None:
    estate.unexplained("artifacts", artifact.key, reason, remedy, artifact.origin)


def _logged_in(source: Any) -> str | None:
    """The logged model that a source names: `models:/m-…`, or the folder of its files."""
    if not isinstance(source, str):
        return None
    found = _LOGGED_AT.search(source)
    return source.removeprefix("models:/") if source.startswith(_LOGGED) else found[1] if found else None


def _text(value: Any) -> str | None:
    """A text; what YAML reads as something else names neither run nor model."""
    return value if isinstance(value, str) and value else None


COLLECTOR = Collector(
    "files of the version",
    frozenset({"artifacts"}),
    (
        Need("GET /api/2.0/fs/directories/Models/…, /api/2.0/fs/files/Models/…", "EXECUTE on the model"),
        Need("GET /api/2.0/mlflow/logged-models/{id}", "CAN_READ on the experiment"),
    ),
    collect,
)
