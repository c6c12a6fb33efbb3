"""Writes to the registry what a gate decided: an alias, and tags of the version. Nothing else of this program writes anywhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from lakewarden.errors import SourceError, UsageError
from lakewarden.sources.platform.databricks.models import path_of
from lakewarden.sources.platform.databricks.rights import FAMILY
from lakewarden.sources.platform.gate.reread import is_unchanged
from lakewarden.sources.platform.mlflow.login import API
from lakewarden.sources.platform.mlflow.login import FAMILY as MLFLOW

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakewarden.sources.platform.estate import Estate
    from lakewarden.sources.platform.gate.request import Request

_ACTING_SECONDS = 30


class Moved(NamedTuple):
    """What became of an alias. `stands` is the version that it was last seen to point to, `none` for none, None where that was
    not seen; `why` says in words why it is not the wanted one. `before` is where it pointed.
    """

    done: bool
    before: str | None
    stands: str | None
    why: str = ""
    remedy: str = ""
    changed: bool = False


def refuse_without_aliases(request: Request) -> None:
    """Raise a UsageError where the registry has no aliases to move."""
    if request.registry == "workspace":
        raise UsageError(
            "the workspace registry has no aliases, so the gate moves nothing there",
            "leave out --set-alias and move the version by its stage, or register models in Unity Catalog",
        )


def pointed(estate: Estate, request: Request, alias: str) -> str:
    """The number of the version that an alias points to now; `none` where there is no such alias.

    Raises:
        SourceError: it cannot be read.
    """
    found = _aliases(estate, request)
    version = found.get(_spelled(found, alias))
    return "none" if version is None else str(version)


def _spelled(found: Mapping[str, object], alias: str) -> str:
    """The alias as the registry has it: whether case tells aliases apart depends on it, so the exact one comes first, and no second
    one is made beside one that differs in case.
    """
    return next((name for name in sorted(found, key=lambda name: name != alias) if name.casefold() == alias.casefold()), alias)


def _aliases(estate: Estate, request: Request) -> dict[str, object]:
    """The aliases of the model with the versions that they point to."""
    right = f"EXECUTE on the model {request.name}"
    if request.registry == "unity_catalog":
        said = estate.api.get(path_of(request.name), {"include_aliases": "true"}, family=FAMILY, right=right)
        return {str(one.get("alias_name")): one.get("version_num") for one in said.get("aliases") or ()}
    said = estate.api.get(f"{API}/registered-models/get", {"name": request.name}, family=MLFLOW, right=f"READ on {request.name}")
    rows = (said.get("registered_model") or {}).get("aliases") or ()
    return {str(one.get("alias")): one.get("version") for one in rows}


def move(estate: Estate, request: Request, alias: str, number: str) -> Moved:
    """Let an alias point to a version, if everything is still as it was; read it back, and put it back where it is not that."""
    try:
        # First where it points, then whether that is still what was judged: a move in between is seen.
        found = _aliases(estate, request)
        alias = _spelled(found, alias)
        before = str(found.get(alias) or "none")
        if not is_unchanged(estate):
            return Moved(False, None, None, "something changed since it was checked", "run the gate again", changed=True)
        # What was begun is ended: it is read back and put back even where the gate's own time is over meanwhile.
        estate.api.end_at(time.monotonic() + _ACTING_SECONDS)
    except SourceError as problem:
        return Moved(False, None, None, problem.reason, problem.remedy)
    refused: SourceError | None = None
    try:
        _set(estate, request, alias, number)
    except SourceError as problem:
        refused = problem  # it may have been heard all the same
    stands = _seen(estate, request, alias)
    if stands == number:
        return Moved(True, before, stands)
    if refused is not None and stands == before:
        return Moved(False, before, stands, refused.reason, refused.remedy or "grant the gate MANAGE on the model")
    return _put_back(estate, request, alias, Moved(False, before, stands))


def _put_back(estate: Estate, request: Request, alias: str, moved: Moved) -> Moved:
    read = f"@{alias} read back as version {moved.stands}" if moved.stands is not None else f"@{alias} could not be read back"
    before = str(moved.before)
    if moved.stands != before:
        try:
            _set(estate, request, alias, before)
        except SourceError as problem:
            read += f", and putting it back failed: {problem.reason}"
    stands = _seen(estate, request, alias)
    ends = f"it points to {_told(before)} again" if stands == before else f"it should point to {_told(before)}, which is not sure"
    return moved._replace(stands=stands, why=f"{read}; {ends}", remedy=f"look where @{alias} points, and run the gate again")


def _told(number: str) -> str:
    return "nothing" if number == "none" else f"version {number}"


def _seen(estate: Estate, request: Request, alias: str) -> str | None:
    try:
        return pointed(estate, request, alias)
    except SourceError:
        return None


def _set(estate: Estate, request: Request, alias: str, number: str) -> None:
    """Let an alias point to a version; to `none` removes it."""
    right = f"MANAGE on the model {request.name}"
    if request.registry == "unity_catalog":
        path = f"{path_of(request.name)}/aliases/{quote(alias, safe='')}"
        body: Mapping[str, object] = {} if number == "none" else {"version_num": int(number)}
        estate.api.change("DELETE" if number == "none" else "PUT", path, body, family=FAMILY, right=right)
        return
    path = f"{API}/registered-models/alias"
    body = {"name": request.name, "alias": alias} | ({} if number == "none" else {"version": number})
    estate.api.change("DELETE" if number == "none" else "POST", path, body, family=MLFLOW, right=right)


def tag(estate: Estate, request: Request, number: str, tags: Mapping[str, str]) -> None:
    """Write tags of a version.

    Raises:
        SourceError: one was not written.
    """
    of_catalog = request.registry == "unity_catalog"
    path = f"{API}/unity-catalog/model-versions/set-tag" if of_catalog else f"{API}/model-versions/set-tag"
    right = f"APPLY TAG on the model {request.name}" if of_catalog else f"EDIT on the model {request.name}"
    for key, value in tags.items():
        body = {"name": request.name, "version": number, "key": key, "value": value}
        estate.api.change("POST", path, body, family=MLFLOW, right=right)
