"""Writes snapshots of a small metastore by hand, for tests of what is done with snapshots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts import snapshot
from lakewarden.facts.collect import Facts
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.data import Catalog
from lakewarden.facts.model.identity import Securable
from lakewarden.facts.model.live import Metastore, Workspace
from lakewarden.facts.origin import Origin

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

WORKSPACE = "https://one.example.com"
FILLED = ("bindings", "catalogs", "metastores", "securables", "workspaces")
POLICY = f'[environments.production]\nworkspaces = ["{WORKSPACE}"]\ncatalogs = ["prod*"]\n'


def facts_of(
    catalogs: Mapping[str, str | None], *, whole: bool = True, workspace: str = WORKSPACE, metastore: str = "m", day: str
) -> Facts:
    """A metastore with catalogs, each with its isolation mode, bound to nothing. Not `whole`: others may be there."""
    facts, live = Facts(), "deployed"
    at = Origin(url=f"{workspace}/api", time=f"{day}T00:00:00Z")
    facts.add(Workspace(key=workspace, plane=live, metastore=metastore, origin=at))
    facts.add(Metastore(key=metastore, plane=live, origin=at))
    for name, mode in catalogs.items():
        key = f"{metastore}/{name}"
        facts.add(
            Catalog(key=key, plane=live, name=name, catalog_type="MANAGED", isolation_mode=mode, storage_root="none", origin=at)
        )
        facts.add(Securable(key=key, plane=live, kind="catalog", catalog=name, named=name, declared_in="none", origin=at))
        with facts.listing("bindings", plane=live, of=key):
            pass
    with facts.listing("workspaces", plane=live):
        pass
    with facts.listing("metastores", plane=live, of=workspace):
        pass
    if whole:
        with facts.listing("catalogs", plane=live, of=metastore):
            pass
    else:
        facts.gap(Gap(Cause.REFUSED, "catalogs", "403: no", "GRANT it", live, parent=metastore, origin=at))
    return facts


def write(
    file: Path,
    catalogs: Mapping[str, str | None],
    *,
    day: str = "2026-03-01",
    whole: bool = True,
    workspace: str = WORKSPACE,
    metastore: str = "m",
    partial: str = "",
) -> Path:
    """A snapshot in a file."""
    facts = facts_of(catalogs, whole=whole, workspace=workspace, metastore=metastore, day=day)
    begun, ended = f"{day}T00:00:00Z", f"{day}T00:01:00Z"
    header = snapshot.Header("1.0", (workspace,), begun, ended, FILLED, FILLED, {"unity-catalog": 3}, partial)
    snapshot.write(file, header, facts)
    return file
