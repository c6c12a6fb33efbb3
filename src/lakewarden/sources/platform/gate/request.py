"""The version that a gate is asked about, as it is written on the command line."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from lakewarden.errors import UsageError

Registry = Literal["unity_catalog", "workspace", "mlflow"]

_URI = re.compile(r"models:/+(?P<name>[^/@]+)(?:/(?P<version>[^/@]+)|@(?P<alias>[^/@]+))")
_LEVELS = 3
_HOW = "write models:/catalog.schema.model@challenger or models:/catalog.schema.model/7"


class Request(NamedTuple):
    """A model by name, in its registry, and one of its versions: by number, or by an alias that is resolved once.

    `stage` is the stage that it is to serve; `champions` are the aliases of the version that is live.
    """

    asked: str
    registry: Registry
    name: str
    number: str | None
    alias: str | None
    stage: str
    champions: tuple[str, ...] = ()

    @property
    def levels(self) -> int:
        """How many parts the name has; 3 in a registry without catalogs, whose names have none."""
        return len(self.name.split(".")) if self.registry == "unity_catalog" else _LEVELS


def request_of(uri: str, stage: str, champions: tuple[str, ...] = (), *, server: bool = False) -> Request:
    """The request that a URI of MLflow makes; `server` says that it is about a server of MLflow, not about Databricks.

    Raises:
        UsageError: it names no version: `latest`, a stage, or nothing.
    """
    found = _URI.fullmatch(uri)
    if found is None:
        raise UsageError(f"{uri!r} names no version of a model", _HOW)
    name, version, alias = found["name"], found["version"], found["alias"]
    if version is not None and not (version.isascii() and version.isdigit() and int(version)):
        raise UsageError(f"{uri!r} names a version that may be another one tomorrow", _HOW)
    # 007 would be another name of version 7, under which nothing was attested or captured before.
    version = version if version is None else str(int(version))
    registry: Registry = "mlflow" if server else "workspace" if "." not in name else "unity_catalog"
    if registry == "unity_catalog":
        name = name.lower()
        if len(name.split(".")) != _LEVELS or not all(name.split(".")):
            raise UsageError(f"{name} is no name of a model in Unity Catalog", _HOW)
    if registry == "workspace" and alias is not None:
        raise UsageError("the workspace registry has no aliases", f"write models:/{name}/7")
    return Request(uri, registry, name, version, alias, stage, champions)
