"""The files of a version, listed and streamed: from Unity Catalog, or through a server of MLflow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlsplit

from lakewarden.errors import SourceError
from lakewarden.facts.gaps import Cause
from lakewarden.sources.platform.mlflow.login import API, FAMILY
from lakewarden.sources.platform.wire.errors import Failed, Truncated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lakewarden.sources.platform.estate import Estate
    from lakewarden.sources.platform.gate.request import Request
    from lakewarden.sources.platform.wire.api import Api

    Sink = Callable[[bytes], None]

#: Registered versions are below it (MLflow, `DatabricksSDKModelsArtifactRepository`).
_MODELS = "/Models"
_FILES, _FOLDERS = "/api/2.0/fs/files", "/api/2.0/fs/directories"
#: More files than this no model has; a listing that goes on is one that runs in a circle.
_MOST_FILES = 100_000
_SCHEME = "mlflow-artifacts"
_ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"


class ModelFiles(NamedTuple):
    """The files of one version: `paths` lists them relative to the model, `path_of` is where one is asked for; `at` is the place of
    all of them, None where the registry keeps them itself.
    """

    api: Api
    family: str
    right: str
    paths: Callable[[], Iterator[tuple[str, int | None]]]
    path_of: Callable[[str], str]
    at: str | None = None

    def read(self, path: str, most: int) -> bytes:
        """A small file. Raises a SourceError where it cannot be read, or is larger."""
        return self.api.download(self.path_of(path), family=self.family, right=self.right, most=most)

    def stream(self, path: str, into: Callable[[], Sink]) -> None:
        """A file of any size, part by part. Raises a SourceError where it cannot be read."""
        self.api.stream(self.path_of(path), into, family=self.family, right=self.right)


def files_of(estate: Estate, request: Request, row: Mapping[str, Any]) -> ModelFiles:
    """The files of the version that an answer of the registry describes.

    Raises:
        SourceError: they are where neither the registry nor the server hands them out.
    """
    if request.registry == "unity_catalog":
        return _in_catalog(estate, request, str(row.get("version")))
    if request.registry == "mlflow":
        return _on_server(estate, request, str(row.get("version")))
    reason = f"files of {request.name}, a model of the workspace registry, are not read"
    raise SourceError(Cause.UNRESOLVED.value, reason, "register the model in Unity Catalog")


def _in_catalog(estate: Estate, request: Request, number: str) -> ModelFiles:
    root = "/".join((_MODELS, *(quote(part, safe="") for part in (*request.name.split("."), number))))
    right = f"EXECUTE on the model {request.name}"

    def paths() -> Iterator[tuple[str, int | None]]:
        found, todo = 0, [""]
        while todo:
            folder = todo.pop()
            path = f"{_FOLDERS}{root}{_quoted(folder)}"
            for row in estate.api.pages(path, "contents", family="files", right=right):
                name, size = _name_of(row), row.get("file_size")
                found += 1
                if found > _MOST_FILES:
                    raise Truncated(f"the model has more than {_MOST_FILES:,} files", "log fewer files with the model")
                inside = f"{folder}/{name}" if folder else name
                if row.get("is_directory") is True:
                    todo.append(inside)
                else:
                    yield inside, size if isinstance(size, int) else None

    return ModelFiles(estate.api, "files", right, paths, lambda path: f"{_FILES}{root}{_quoted(path)}")


def _on_server(estate: Estate, request: Request, number: str) -> ModelFiles:
    """Through the artifact proxy of the server: what stands on storage of its own is read by nobody without its keys."""
    right = f"READ on the model {request.name}"
    query = {"name": request.name, "version": number}
    said = estate.api.get(f"{API}/model-versions/get-download-uri", query, family=FAMILY, right=right)
    parts = urlsplit(str(said.get("artifact_uri") or ""))
    if parts.scheme != _SCHEME:
        reason = f"the files of {request.name} are on {parts.scheme or 'storage that is not named'}, not behind the server"
        raise SourceError(Cause.UNRESOLVED.value, reason, "start the server with --serve-artifacts, and log the model there")
    own = urlsplit(estate.api.host)
    if parts.netloc and parts.netloc.lower() != own.netloc:
        # Who loads the model asks that server, so what this one has under the same path is not what is served.
        reason = f"the files of {request.name} are on another server, {parts.netloc}"
        raise SourceError(Cause.UNRESOLVED.value, reason, "register a model that was logged on this server")
    root = parts.path.strip("/")

    def paths() -> Iterator[tuple[str, int | None]]:
        found, todo = 0, [""]
        while todo:
            folder = todo.pop()
            at = f"{root}/{folder}" if folder else root
            files = estate.api.get(_ARTIFACTS, {"path": at}, family=FAMILY, right=right).get("files") or ()
            for row in files:
                name = str(row.get("path") or "").rpartition("/")[2]
                size = row.get("file_size")
                found += 1
                if found > _MOST_FILES:
                    raise Truncated(f"the model has more than {_MOST_FILES:,} files", "log fewer files with the model")
                if not name:
                    raise Failed(f"a file of {request.name} came without its name", "run again")
                inside = f"{folder}/{name}" if folder else name
                if row.get("is_dir") is True:
                    todo.append(inside)
                else:
                    yield inside, int(size) if size is not None else None

    def path_of(path: str) -> str:
        return f"{_ARTIFACTS}/{_quoted(f'{root}/{path}').lstrip('/')}"

    return ModelFiles(estate.api, FAMILY, right, paths, path_of, parts.geturl())


def _name_of(row: Mapping[str, Any]) -> str:
    name = str(row.get("path") or "").rstrip("/").rpartition("/")[2]
    if not name:
        raise Failed("a file of the model came without its name", "run again; report it if it stays so")
    return name


def _quoted(path: str) -> str:
    return "".join(f"/{quote(part, safe='')}" for part in path.split("/")) if path else ""
