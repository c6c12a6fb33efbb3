"""Where a path leads, and how data is named, read from a text that may have holes."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from lakewarden.sources.repository.code.values import HOLE, LAUNCHED, Value

if TYPE_CHECKING:
    from lakewarden.sources.repository.code.result import Symbol

_CLOUD = ("s3://", "s3a://", "s3n://", "abfss://", "abfs://", "wasbs://", "wasb://", "gs://", "adl://", "r2://")
_SAMPLES = ("/databricks-datasets", "/dbfs/databricks-datasets", "/dbfs/databricks/datasets")
_USERS = ("/Users/", "/Workspace/Users/")
_HOMES = (*_USERS, "/Repos/", "/Workspace/Repos/")
#: Places of paths that outlive the driver.
OFF_DRIVER = frozenset({"dbfs", "volume", "mount", "cloud"})
_UUID, _DIGITS = 36, 32
#: A disk of Windows, as Linux on a laptop shows it: Python finds mounts of DBFS below /dbfs alone.
_WINDOWS = re.compile(r"/mnt/[a-z]/", re.IGNORECASE)
_SHARED = ("/Shared", "/Workspace/Shared")


def _plain(template: str) -> str:
    """Without scheme of DBFS, so that `dbfs:/mnt` and `/dbfs/mnt` read alike."""
    if template.startswith("dbfs:/"):
        return "/dbfs/" + template[6:].lstrip("/")
    return template


def _under(path: str, *folders: str) -> bool:
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def _to_both(path: str) -> str | None:
    """How a path names data that means the same to Spark and to Python; None for others."""
    if path.startswith(_CLOUD):
        return "cloud"
    if _under(path, "/Volumes", "/dbfs/Volumes"):
        return "volume"
    if _under(path, *_SAMPLES):
        return "sample"
    if _under(path, "/mnt", "/dbfs/mnt"):
        return "mount"
    if _under(path, "/dbfs") and not path.startswith(f"/dbfs/{HOLE}"):
        return "dbfs"
    return "local" if path.startswith("file:") else None


def data_address(template: str, *, spark: bool) -> str | None:
    """How a path names data: `volume`, `sample`, `mount`, `dbfs`, `cloud`, `path`, `local`; None where it is not known.

    `spark` tells a path that Spark reads, where `/x` lies on DBFS, from one of Python, where it lies on the driver.
    """
    if not template.strip():
        return None  # the empty default of something that has to be given
    path = _plain(template)
    if not spark and _WINDOWS.match(path):
        return "local"
    known = _to_both(path)
    if known is not None:
        return known
    first = path.lstrip("/").split("/", 1)[0]
    if HOLE in first or (path.startswith(f"/dbfs/{HOLE}") and not spark):
        return None  # `/dbfs/{x}` may be a volume
    if _under(path, "/Workspace"):
        return "path" if spark else "local"
    if spark:
        return "dbfs" if path.startswith("/") else "path"
    return "local"


def table_address(template: str) -> str:
    """How a name of a table names data: `table`, `hive_metastore` or `sample`."""
    catalog = template.replace("`", "").split(".", 1)[0].strip().lower()
    if catalog == "hive_metastore":
        return "hive_metastore"
    return "sample" if catalog == "samples" and "." in template else "table"


@cache
def _of_somebody() -> re.Pattern[str]:
    """What the part of a path is called that names a person."""
    return re.compile(r"(?i)user|e_?mail|(?:^|_)(?:me|author|owner|login)$")


def _is_application_id(name: str) -> bool:
    """Is it the name of a service principal's folder, a UUID?"""
    digits = name.replace("-", "")
    return len(name) == _UUID and len(digits) == _DIGITS and all(c in "0123456789abcdefABCDEF" for c in digits)


def _is_launched(symbol: Symbol) -> bool:
    """Does a value come from whoever starts the code?"""
    return bool(symbol) and symbol[0] in LAUNCHED


def workspace_place(value: Value) -> str | None:
    """Whose folder a path of the workspace is in: `person`, `deployer`, `everyone`, `workspace`; `other` for a name that is
    no path, `parameter` for what the code is launched with; None where it is not known.
    """
    template = value.text
    if template is None:
        return "parameter" if _is_launched(value.symbol) else None
    if template.startswith(HOLE) and _is_launched(value.holes[0].symbol):
        return "parameter"
    home = next((home for home in _HOMES if template.startswith(home)), None)
    if home is not None:
        owner = template[len(home) :].split("/", 1)[0]
        if HOLE in owner:
            hole = value.holes[0]
            return "deployer" if hole.source == "user" or _of_somebody().search(hole.name) else None
        if home in _USERS:
            return "workspace" if _is_application_id(owner) else "person"
        return "person" if "@" in owner else "workspace"
    if _under(template, *_SHARED):
        return "everyone"
    if HOLE in template.removeprefix("/Workspace").lstrip("/").split("/", 1)[0]:
        return None
    return "workspace" if template.startswith("/") else "other"


def path_place(value: Value) -> str | None:
    """Whose a path is: `person`, `deployer`, `everyone`, `dbfs`, `volume`, `mount`, `cloud`, `workspace`, `local`,
    `relative`; None where it is not known.
    """
    if value.text is None:
        return None
    path = _plain(value.text)
    if path.startswith((*_HOMES, *_SHARED)) or _under(path, "/Workspace"):
        return workspace_place(value._replace(text=path))
    address = data_address(path, spark=False) or ("dbfs" if path.startswith("/dbfs/") else None)
    if address == "local":
        return "local" if path.startswith(("/", "file:")) else "relative"
    return {"sample": "dbfs", "path": "workspace"}.get(address, address) if address is not None else None
