"""Whether the files of a version are those that its run logged: by where they are and when they came, which the server knows, not
by what they say of themselves.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Clocks of whoever ends a run and of the server differ.
_SLACK_MILLIS = 10 * 60 * 1000
_HISTORY = "mlflow.log-model.history"


def is_of_run(run: Any, logged: Mapping[str, Any] | None, at: str | None) -> tuple[bool | None, str]:
    """Did the run log what is at this place? `run` is what was read of it, `logged` the logged model, `at` where the files are, None
    where the registry keeps them itself. None, with the reason, where nobody can tell.
    """
    if logged is not None and (why := _why_another(run, logged)):
        return False, why
    if at is None:
        return True, ""
    home = None if logged is None else _path(logged.get("artifact_uri"))
    if home is not None:
        inside = _below(_path(at), home) is not None
        return inside, "" if inside else "its files are not where its logged model has them"
    below = _below(_path(at), _path(run.info.get("artifact_uri")))
    if below is None:
        return False, "its files are not among those of its run"
    if not any(_below(below, path) is not None for path in _logged_paths(run.tags)):
        return None, "its run does not tell that it logged a model where the files are"
    return True, ""


def _why_another(run: Any, logged: Mapping[str, Any]) -> str:
    """Why a logged model is none that the run logged, whatever run it names; empty where nothing says so."""
    outputs = {one.get("model_id") for one in (run.data.get("outputs") or {}).get("model_outputs") or ()}
    if outputs and logged.get("model_id") not in (None, *outputs):
        return "its run does not have its logged model among its outputs"
    experiment, own = run.info.get("experiment_id"), logged.get("experiment_id")
    if None not in (experiment, own) and str(experiment) != str(own):
        return "its logged model is in another experiment than its run"
    made, begun, ended = (
        _millis(one) for one in (logged.get("creation_timestamp_ms"), *(run.info.get(f"{x}_time") for x in ("start", "end")))
    )
    if made is not None and (
        (begun is not None and made < begun - _SLACK_MILLIS) or (ended is not None and made > ended + _SLACK_MILLIS)
    ):
        return "its logged model was not made while its run went on"
    return ""


def _millis(value: Any) -> int | None:
    return int(value) if str(value).isdecimal() else None


def _path(uri: Any) -> str | None:
    """The path of a place; None for one that a server might read as another."""
    if not isinstance(uri, str) or not uri:
        return None
    path = urlsplit(uri).path.strip("/")
    return None if not path or "%" in path or "\\" in path or not {"", ".", ".."}.isdisjoint(path.split("/")) else path


def _below(path: str | None, home: str | None) -> str | None:
    """What is left of a path below another, empty for that itself; None where it is not below."""
    if path is None or home is None or not (path == home or path.startswith(f"{home}/")):
        return None
    return path[len(home) + 1 :]


def _logged_paths(tags: Mapping[str, str]) -> set[str]:
    """Where clients before MLflow 3 logged models in the run."""
    try:
        told = json.loads(tags.get(_HISTORY) or "[]")
    except ValueError:
        return set()
    rows = told if isinstance(told, list) else []
    return {str(one["artifact_path"]).strip("/") for one in rows if isinstance(one, dict) and one.get("artifact_path")}
