"""Targets, workspaces and catalogs that no environment of the policy claims, or that two do: each is a gap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts.gaps import Cause, Gap
from lakewarden.policy.attribute import environment_of_catalog, environment_of_target, environment_of_workspace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lakewarden.facts.fact import Fact
    from lakewarden.policy.model import Policy


def unclaimed(rows: Mapping[str, Sequence[Fact]], policy: Policy) -> Iterable[Gap]:
    """A gap for each target, and, where the policy lists workspaces or catalogs, for each of those that it leaves out.

    Without such a list names decide, and a catalog that speaks of no stage is nobody's business.
    """
    lists = policy.environments.values()
    for target in rows["targets"]:
        name, host = target.__dict__.get("name"), target.__dict__.get("host")
        if name is not None and environment_of_target(policy, target.project, name, host).stage is None:
            yield _gap("targets", f"target {name}", name, "targets", target)
        if (
            host not in (None, "none")
            and any(e.workspaces for e in lists)
            and environment_of_workspace(policy, host).stage is None
        ):
            yield _gap("targets", f"workspace {host}", host, "workspaces", target)
    if any(environment.catalogs for environment in lists):
        for row in rows["target_catalogs"]:
            catalog = row.__dict__.get("catalog")
            # A catalog that is only read may belong to somebody else.
            if (
                catalog is not None
                and row.__dict__.get("access") == "own"
                and environment_of_catalog(policy, catalog).stage is None
            ):
                yield _gap("target_catalogs", f"catalog {catalog}", catalog, "catalogs", row)


def _gap(table: str, what: str, name: str, kind: str, row: Fact) -> Gap:
    return Gap(
        Cause.UNCLAIMED,
        table,
        f"no environment claims {what}",
        f'add "{name}" to the {kind} of one environment in lakewarden.toml',
        project=row.project,
        origin=row.origin,
        value=True,
    )
