"""What jobs and pipelines have in common: keys, who runs them, who manages them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from lakewarden.sources.platform.databricks.bundles import Metadata, metadata_of
from lakewarden.sources.platform.databricks.names import Named, named
from lakewarden.sources.platform.databricks.once import attempt
from lakewarden.sources.platform.wire.gather import gather
from lakewarden.sources.repository.bundle.principals import told_kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lakewarden.facts.origin import Origin
    from lakewarden.sources.platform.estate import Estate

_KEPT = "workloads"


class Workload(NamedTuple):
    """A job or a pipeline that was seen: its row's key, the words of its API, who it runs as, and what it was deployed by: the
    path of the bundle's metadata, and the id of the platform's own record; `bundled` where a bundle deployed it, whether or not it names these.
    """

    key: str
    kind: str
    number: str
    name: str | None
    run_as: Named
    creator: Named
    metadata: str | None
    deployment: str | None
    bundled: bool

    @property
    def resource(self) -> str:
        """Its kind as bundles and permissions write it."""
        return f"{self.kind}s"


def workloads(estate: Estate) -> list[Workload]:
    """The jobs and pipelines of the workspace that were seen so far."""
    found: list[Workload] = estate.kept.setdefault(_KEPT, [])
    return found


def workload(estate: Estate, kind: str, number: str, name: Any, said: dict[str, Any], settings: dict[str, Any]) -> Workload:
    """A job or pipeline by what the API says of it (`said`) and by its settings; remembered for other collectors."""
    path = _path(settings)
    key = f"{estate.workspace}#{number}"
    bundle = None if path is None else attempt([], partial(metadata_of, estate, path))  # told by `require_metadata`
    declared = bundle.key_of(f"{kind}s", number) if bundle is not None else None
    # A second deployment of the same target, by another root, is nobody's either.
    if declared is not None and estate.first("jobs", declared):
        key = declared
    text = name if isinstance(name, str) and name else None
    found = Workload(
        key,
        kind,
        number,
        text,
        run_as_of(said, settings),
        named(said.get("creator_user_name")),
        path,
        _record(settings),
        _kind(settings) == "BUNDLE",
    )
    workloads(estate).append(found)
    return found


def bundle_of(estate: Estate, one: Workload) -> Metadata | None:
    """The metadata of the deployment; None where there is none, or it could not be read."""
    if one.metadata is None:
        return None
    return attempt([], partial(metadata_of, estate, one.metadata)) or Metadata(one.metadata)


def read_ahead(estate: Estate, settings: Iterable[dict[str, Any]]) -> None:
    """Ask for the metadata of many at once."""
    for _ in gather(lambda path: metadata_of(estate, path), dict.fromkeys(filter(None, map(_path, settings)))):
        pass


def require_metadata(estate: Estate, kind: str) -> None:
    """Raise the first problem with a metadata file: without it nobody can tell which declared job or pipeline one is."""
    for one in workloads(estate):
        if one.metadata is not None and one.kind == kind:
            metadata_of(estate, one.metadata)


def run_as_of(said: dict[str, Any], settings: dict[str, Any]) -> Named:
    """Who it runs as: what its settings say, else the name that the service works out."""
    for holder in (settings.get("run_as"), said.get("run_as")):
        for field, kind in (("service_principal_name", "service_principal"), ("user_name", "user"), ("group_name", "group")):
            name = holder.get(field) if isinstance(holder, dict) else None
            if isinstance(name, str) and name:
                return Named(told_kind(kind, name), name)
    return named(said.get("run_as_user_name"))


def managed_by(estate: Estate, one: Workload, settings: dict[str, Any], table: str, origin: Origin) -> str | None:
    """`bundle`, `system`, `git_job` or `manual`. Terraform leaves no mark: what a person made is made by hand, what a service
    principal made without a mark may come from anywhere.
    """
    kind = _kind(settings)
    if kind in ("BUNDLE", "SYSTEM_MANAGED"):
        return "bundle" if kind == "BUNDLE" else "system"
    if kind is None and settings.get("git_source"):
        return "git_job"
    if kind is None and one.creator.kind == "user":
        return "manual"
    what = f"is managed by {kind}, which is not known here" if kind else "says neither that a bundle nor that Git manages it"
    reason = f"{one.kind} {one.name or one.number} {what}; Terraform leaves no mark"
    estate.unexplained(table, one.key, reason, "deploy it with a bundle", origin)
    return None


def explain_run_as(estate: Estate, one: Workload, origin: Origin) -> None:
    """Say why nobody knows who it runs as, where that is so."""
    if one.run_as.key is None:
        reason = f"{one.kind} {one.name or one.number} does not say who it runs as: they may have been deleted"
        estate.unexplained("jobs", one.key, reason, "set run_as to a service principal", origin)


def creator_kind(estate: Estate, one: Workload, origin: Origin) -> str | None:
    """`user` or `service_principal`; None for somebody who was deleted."""
    if one.creator.kind in ("user", "service_principal"):
        return one.creator.kind
    reason = f"{one.kind} {one.name or one.number} does not say who created it: they may have been deleted"
    estate.unexplained("jobs", one.key, reason, "deploy it again as a service principal", origin)
    return None


def _path(settings: dict[str, Any]) -> str | None:
    path = (settings.get("deployment") or {}).get("metadata_file_path")
    return path if isinstance(path, str) and path else None


def _kind(settings: dict[str, Any]) -> Any:
    return (settings.get("deployment") or {}).get("kind")


def _record(settings: dict[str, Any]) -> str | None:
    number = (settings.get("deployment") or {}).get("deployment_id")
    return str(number).rpartition("/")[2] if number else None
