"""Commands that carry models from one place to another."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lakewarden.sources.repository.ci.commands.action import Action

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MODEL = re.compile(
    r"(?:^|[/:_.-])(?:models?|mlmodels?|mlruns|mlartifacts)(?:[/_.-]|$)|\.(?:pkl|pickle|joblib|onnx|h5|mleap)$", re.IGNORECASE
)
_REMOTE = re.compile(r"dbfs:|^/Volumes/|^/dbfs/|://", re.IGNORECASE)
_URI = re.compile(r"^(?:models|runs):/", re.IGNORECASE)


def copies_model(paths: Sequence[str]) -> bool:
    """Do the paths of a copy name a model, on one side in a workspace?"""
    return any(_MODEL.search(path) for path in paths) and any(_REMOTE.search(path) for path in paths)


def model_transfer(words: Sequence[str], _: Mapping[str, str]) -> Action | None:
    """What a command of mlflow-export-import, or a copy between storages, does."""
    name = words[0].rpartition("/")[2]
    if name == "azcopy":
        return Action("model_copy") if len(words) > 2 and words[1] in ("copy", "cp", "sync") and copies_model(words[2:]) else None  # noqa: PLR2004
    return Action("model_copy") if len(words) > 1 else None


def mlflow(words: Sequence[str], _: Mapping[str, str]) -> Action | None:
    """What a command of MLflow does: the download of a registered model is one half of a copy."""
    if words[1:3] == ["artifacts", "download"] or tuple(words[1:3]) == ("artifacts", "download"):
        return Action("model_download") if any(_URI.match(word) for word in words[3:]) else None
    return None
