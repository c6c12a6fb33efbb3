"""The targets of a bundle: where each deploys, as whom, from which branch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.targets import Target, TargetPath
from lakewarden.sources.repository.bundle.merge import is_null, merge
from lakewarden.sources.repository.bundle.places import host_problem, normal_host, place_of_folder
from lakewarden.sources.repository.bundle.principals import read_principal
from lakewarden.sources.repository.bundle.reader import NONE, Reader
from lakewarden.sources.repository.bundle.variables import Kind, Problem
from lakewarden.sources.yaml_nodes import Map, Node, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.facts.origin import Origin

#: The prefix of names that a mode adds; None where the mode is not known.
_PREFIX_OF_MODE = {True: "[dev ${workspace.current_user.short_name}] ", False: "", None: None}
_FALSE = {NONE: False, None: None}
#: The one target of a bundle that declares none.
_IMPLIED = "default"
_PATHS = ("root_path", "file_path", "state_path", "artifact_path")


def target_nodes(root: Map) -> Iterator[tuple[str, Map | None, Origin]]:
    """Name, settings and place of each target; a bundle without any has one that is implied."""
    found = merge(root.get("environments"), root.get("targets"))
    if not isinstance(found, Map) or not found.items:
        bundle = root.get("bundle")
        if isinstance(bundle, Map) and (isinstance(found, Map) or is_null(found)):
            yield _IMPLIED, None, bundle.origin._replace(pointer="bundle")
        return
    for name, node in found.items.items():
        yield name, node if isinstance(node, Map) else None, node.origin


def read_target(reader: Reader, origin: Origin, *, is_default: bool | None) -> None:
    """Write the target and its paths, and note in the reader what its resources take from it."""
    config = reader.config
    workspace, no_workspace = reader.section("workspace", "targets")
    presets, no_preset = reader.section("presets", "targets")
    experimental, no_experiment = reader.section("experimental", "targets")
    mode = reader.text(config.get("mode"), "targets")
    reader.development = None if mode is None else mode == "development"
    reader.host = _host(reader, _of(workspace, "host"), no_workspace)
    reader.run_as = read_run_as(reader, config.get("run_as"), "targets") or ("deployer", NONE)
    prefix = reader.text(_of(presets, "name_prefix"), "targets", no_preset)
    reader.name_prefix = prefix if prefix != NONE else _PREFIX_OF_MODE[reader.development]
    reader.facts.add(
        Target(
            key=reader.key,
            project=reader.project,
            project_key=reader.project,
            name=reader.name,
            path=reader.bundle.path,
            mode=mode,
            is_default=is_default,
            host=reader.host,
            profile=reader.text(_of(workspace, "profile"), "targets", no_workspace),
            root_path=reader.text(_of(workspace, "root_path"), "targets", no_workspace),
            run_as_kind=reader.run_as[0],
            run_as=reader.run_as[1],
            git_branch=_branch(reader),
            name_prefix=prefix,
            trigger_pause_status=reader.text(_of(presets, "trigger_pause_status"), "targets", no_preset),
            pipelines_development=reader.flag(_of(presets, "pipelines_development"), "targets", absent=_FALSE[no_preset]),
            records_history=reader.flag(_of(experimental, "record_deployment_history"), "targets", absent=_FALSE[no_experiment]),
            origin=origin,
        )
    )
    for name in _PATHS:
        _path(reader, name, _of(workspace, name), origin, known=no_workspace == NONE)


def read_run_as(reader: Reader, node: Node | None, table: str) -> tuple[str | None, str | None] | None:
    """Kind and name of the identity that a `run_as` gives; None where it gives none."""
    if is_null(node):
        return None
    found, _ = reader.block(node, table)
    if found is None:
        return None, None
    principal = read_principal(reader, found, table)
    return None if principal is None else principal[:2]


def _path(reader: Reader, name: str, node: Node | None, origin: Origin, *, known: bool) -> None:
    """A path that the target sets. The root is told even where it is not set: it is then in the folder of who deploys,
    and the other paths are below it.
    """
    path: str | None
    place: str | None
    if is_null(node):
        if known and name != "root_path":
            return
        path, place = (NONE, "deployer") if known else (None, None)
    else:
        found = reader.text(node, "target_paths", None)
        path, place = found, None if found is None else place_of_folder(found)
        origin = reader.resolver.place(node).origin if node is not None else origin
        if found is not None and place is None:
            reader.gap(
                "target_paths", Problem(Kind.UNSET, f"{found} holds a placeholder", "write the name of the folder"), origin
            )
    reader.facts.add(
        TargetPath(
            key=f"{reader.key}/{name}",
            project=reader.project,
            target=reader.key,
            name=name,
            path=path,
            path_place=place,
            origin=origin,
        )
    )


def _host(reader: Reader, node: Node | None, absent: str | None) -> str | None:
    """The host; None with a gap where it is a placeholder."""
    host = reader.text(node, "targets", absent)
    if host is None or not host.strip() or host == NONE:
        return None if host is None else NONE
    problem = host_problem(host)
    if problem is None:
        return normal_host(host)
    origin = node.origin if node is not None else None
    remedy = "write the workspace's URL under workspace.host of the target"
    where = f"{origin.path}:{origin.line}: " if origin is not None else ""
    reader.facts.gap(Gap(Cause.UNRESOLVED, "targets", where + problem, remedy, project=reader.project, origin=origin, value=True))
    return None


def _branch(reader: Reader) -> str | None:
    """The branch that the target pins: `git.branch`, in old bundles `bundle.git.branch`."""
    git, absent = reader.section("git", "targets")
    branch = _of(git, "branch")
    if is_null(branch):
        bundle, _ = reader.section("bundle", "targets")
        inner = reader.map(_of(bundle, "git"), "targets")
        branch = _of(inner, "branch")
    if isinstance(branch, Scalar) and branch.text.strip() == "${bundle.git.branch}":
        return NONE  # pinned to whatever is checked out
    return reader.text(branch, "targets", absent)


def _of(node: Map | None, key: str) -> Node | None:
    return node.get(key) if node is not None else None
