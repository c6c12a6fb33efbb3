"""What a bundle leaves in the workspace with each deployment: `metadata.json`, which names bundle, target, commit and resources."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from lakewarden.sources.platform.databricks.once import once
from lakewarden.sources.platform.wire.errors import Failed
from lakewarden.sources.repository.bundle.places import place_of_code

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.facts.origin import Origin
    from lakewarden.sources.platform.estate import Estate

EXPORT = "/api/2.0/workspace/export"
_STATE = "/state/metadata.json"
_NOTEBOOKS = (".py", ".ipynb", ".sql", ".scala", ".r", ".R")


class Metadata(NamedTuple):
    """What the file says. `keys` holds the resource of the bundle by its kind (`jobs`, `pipelines`) and its id in the workspace;
    values that it does not have are None.
    """

    path: str
    name: str | None = None
    target: str | None = None
    mode: str | None = None
    commit: str | None = None
    origin_url: str | None = None
    files: str | None = None
    keys: dict[tuple[str, str], str] = {}  # noqa: RUF012 (never written to)

    def key_of(self, kind: str, number: object) -> str | None:
        """The key of a declared resource, `bundle/target/jobs.name`. Each developer has a copy of a development target: those
        are nobody's resource.
        """
        resource = self.keys.get((kind, str(number)))
        if resource is None or self.name is None or self.target is None or self.mode == "development":
            return None
        return f"{self.name}/{self.target}/{kind}.{resource}"


def metadata_of(estate: Estate, path: str) -> Metadata:
    """The metadata at a path, which a job or a pipeline names. Raises a SourceError, each time the same."""
    return once(estate, f"{EXPORT}?path={path}", lambda: _read(estate, path))


def at(estate: Estate, path: str) -> Origin:
    """The place of a file of the workspace."""
    return estate.at(f"{EXPORT}?path={path}")


def root_of(path: str) -> str:
    """The folder that a bundle deploys to, by the path of its metadata."""
    return path.removesuffix(_STATE) if path.endswith(_STATE) else path.rpartition("/")[0]


def _read(estate: Estate, path: str) -> Metadata:
    query = {"path": path, "direct_download": "true"}
    raw = estate.api.download(EXPORT, query, right=f"CAN_READ on {path}")
    try:
        config = _block(json.loads(raw), "config")
    except (ValueError, RecursionError):
        raise Failed(f"{path} on {estate.workspace} is no metadata of a bundle", "deploy the bundle again") from None
    bundle, git = _block(config, "bundle"), _block(_block(config, "bundle"), "git")
    return Metadata(
        path,
        _text(bundle, "name"),
        _text(bundle, "target"),
        _text(bundle, "mode"),
        _text(git, "commit"),
        _text(git, "origin_url"),
        _text(_block(config, "workspace"), "file_path"),
        dict(_keys(_block(config, "resources"))),
    )


def _keys(resources: dict[str, Any]) -> Iterator[tuple[tuple[str, str], str]]:
    for kind in ("jobs", "pipelines"):
        for name, resource in _block(resources, kind).items():
            if isinstance(resource, dict) and resource.get("id"):
                yield (kind, str(resource["id"])), str(name)


def _block(of: Any, name: str) -> dict[str, Any]:
    found = of.get(name) if isinstance(of, dict) else None
    return found if isinstance(found, dict) else {}


def _text(of: dict[str, Any], name: str) -> str | None:
    found = of.get(name)
    return found if isinstance(found, str) and found else None


def below(path: str, metadata: Metadata | None) -> str | None:
    """The part of a path below the files of its deployment; None for a path elsewhere. What lies in the deployment of another
    bundle, or in one that the job does not name, is elsewhere.
    """
    for root in () if metadata is None else _roots(metadata):
        inside = _inside(path, root)
        if inside is not None:
            return inside
    return None


def is_deployed(path: str, metadata: Metadata | None) -> bool:
    """Does the path lie in the folder of its deployment, be it among files or artifacts?"""
    return metadata is not None and (below(path, metadata) is not None or _inside(path, root_of(metadata.path)) is not None)


def _roots(metadata: Metadata) -> Iterator[str]:
    yield f"{root_of(metadata.path)}/files"
    # The file can be edited: a folder of a person does not become the deployment's by it.
    if metadata.files is not None and (
        _inside(metadata.files, root_of(metadata.path)) or place_of_code(metadata.files) == "workspace"
    ):
        yield metadata.files


def _inside(path: str, root: str) -> str | None:
    prefix, bare = f"{root.removeprefix('/Workspace').rstrip('/')}/", path.removeprefix("/Workspace")
    return bare[len(prefix) :] if len(prefix) > 1 and bare.startswith(prefix) and ".." not in bare.split("/") else None


class Code(NamedTuple):
    """The code of a task: its path, its place, and the path by which it is compared with what is declared."""

    path: str | None
    place: str | None
    compared: str | None


NO_CODE = Code("none", "none", "none")


def code_at(path: str, metadata: Metadata | None, *, from_git: bool = False) -> Code:
    """The code at a path of the workspace, or of the Git source."""
    if from_git:
        return Code(path, "git", path)
    inside = below(path, metadata)
    if inside is not None:
        stem, dot, ending = inside.rpartition(".")
        return Code(path, "deployed", stem if dot and f".{ending}" in _NOTEBOOKS else inside)
    return Code(path, place_of_code(path) or "workspace", path)


def code_of(codes: list[Code]) -> str | None:
    """All code of a job, one line each, as the bundle's own facts write it; None where one is not known."""
    paths = {code.compared for code in codes}
    return None if None in paths else "\n".join(sorted(path for path in paths if path not in (None, "none")))
