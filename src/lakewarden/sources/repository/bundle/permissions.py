"""Permissions on what a target deploys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts.model.identity import Permission
from lakewarden.sources.repository.bundle.principals import named, read_principal, remember
from lakewarden.sources.repository.bundle.variables import Kind, Problem
from lakewarden.sources.repository.bundle.workload import run_as_of
from lakewarden.sources.yaml_nodes import Map, Node

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lakewarden.sources.repository.bundle.reader import Reader

#: Each kind of resource that has permissions, with what facts call it.
_KINDS = {
    "jobs": "job",
    "pipelines": "pipeline",
    "experiments": "experiment",
    "model_serving_endpoints": "endpoint",
    "models": "model",
}


def read_permissions(reader: Reader, principals: set[str]) -> None:
    """Write the permissions of the target as a whole and of its resources."""
    kind, name = reader.run_as
    remember(reader, named(kind, name) if kind != "deployer" else None, principals, None)
    of_target = reader.config.get("permissions")
    # A map called `permissions` at the top holds anchors for other places.
    of_target = None if isinstance(of_target, Map) else of_target
    _permissions(reader, [of_target], "target", reader.name, reader.key, reader.run_as, principals)
    for resources, object_kind in _KINDS.items():
        for key, node in reader.resources(resources):
            # Those of the target hold for all that it deploys; what they let do is asked of experiments apart.
            given = [node.get("permissions"), of_target if object_kind == "experiment" else None]
            if given == [None, None]:
                continue
            label = reader.named(resources, node.get("name"), "permissions", key)
            run_as = run_as_of(reader, node)[:2] if object_kind in ("job", "pipeline") else ("none", "none")
            _permissions(reader, given, object_kind, label, f"{reader.key}/{resources}.{key}", run_as, principals)


def _permissions(
    reader: Reader,
    given: Sequence[Node | None],
    kind: str,
    label: str | None,
    key: str,
    run_as: tuple[str | None, str | None],
    principals: set[str],
) -> None:
    rows: set[str] = set()
    for at, (item, level) in enumerate(entry for node in given for entry in _items(reader, node)):
        principal_kind, name = (read_principal(reader, item, "permissions") or (None, None, item))[:2]
        if principal_kind is None:
            reader.gap("permissions", Problem(Kind.BROKEN, "the permission names nobody"), item.origin)
        principal = named(principal_kind, name)
        remember(reader, principal, principals, item.origin)
        row = f"{key}/{principal or f'?{at}'}/{level or f'?{at}'}"
        if row in rows:
            continue
        rows.add(row)
        reader.facts.add(
            Permission(
                key=row,
                project=reader.project,
                target=reader.key,
                object_kind=kind,
                object_name=label,
                principal=principal,
                is_run_as=_is_run_as(principal_kind, name, run_as),
                level=level,
                origin=item.origin,
            )
        )


def _items(reader: Reader, node: Node | None) -> Iterator[tuple[Map, str | None]]:
    whole, problem = reader.resolver.node(node)
    if problem is not None and node is not None:
        reader.gap("permissions", problem, node.origin, value=False)
    for item in reader.maps(whole, "permissions"):
        yield item, reader.text(item.get("level"), "permissions", None)


def _is_run_as(kind: str | None, name: str | None, run_as: tuple[str | None, str | None]) -> bool | None:
    """Is the principal the one that the object runs as? Whoever deploys may be any person or service principal."""
    runs_kind, runs_name = run_as
    if kind == "group" and runs_kind != "group":
        return False
    if runs_kind == "deployer":
        return None
    if kind is None or runs_kind is None or (kind == runs_kind and (name is None or runs_name is None)):
        return None
    return kind == runs_kind and name == runs_name
