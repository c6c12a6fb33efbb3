"""Commands that carry models from one place to another."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lakewarden.sources.repository.ci.commands.action import Action

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MODEL = re.compile(
    r"(?:^|[/:_.-])(?:models?|mlmodels?|mlruns|mlartifacts)(?:[/_.-]|$)|(?:^|/)mlflow/(?:[^/]+/)*artifacts?(?:/|$)"
    r"|\.(?:pkl|pickle|joblib|onnx|h5|mleap)$",
    re.IGNORECASE,
)
#: Files that hold no model, whatever they are called: code, configuration, packages, tables.
_NO_MODEL = re.compile(
    r"\.(?:py|ipynb|sql|scala|r|sh|ps1|ya?ml|json|toml|cfg|ini|txt|md|whl|egg|jar|csv|parquet|html|tf|env|lock)$", re.IGNORECASE
)
_REMOTE = re.compile(r"dbfs:|^/Volumes/|^/dbfs/|://", re.IGNORECASE)
_CLOUD = re.compile(r"^(?:s3a?|gs|abfss?|wasbs?|https?)://", re.IGNORECASE)
_URI = re.compile(r"^(?:models|runs):/", re.IGNORECASE)
_COPIES = frozenset({"cp", "copy", "sync", "mv", "rsync"})


def copies_model(paths: Sequence[str]) -> bool:
    """Do the paths of a copy name a model, on one side in a workspace?"""
    if any(_NO_MODEL.search(path.rstrip("/")) for path in paths[:1]):
        return False
    return any(_MODEL.search(path) for path in paths) and any(_REMOTE.search(path) for path in paths)


def cloud_copy(words: Sequence[str], _: Mapping[str, str]) -> Action | None:
    """What a copy by the command line of a cloud does: a model from one storage to another is carried; one that a job of CI
    uploads may have been made there.
    """
    rest = [word for word in words[1:] if not word.startswith("-")]
    verbs = [at for at, word in enumerate(rest[:3]) if word in _COPIES]
    paths = rest[verbs[0] + 1 : verbs[0] + 3] if verbs else []
    both = len(paths) > 1 and all(_CLOUD.match(path) for path in paths) and paths[0] != paths[1]
    return Action("model_copy") if both and copies_model(paths) else None


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
