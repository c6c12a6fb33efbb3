"""All closures over a live estate, in the order in which one needs another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.facts.estate import access, commits, deployed, identities, members, storage, versions
from lakewarden.facts.fact import TABLES
from lakewarden.facts.packed import columns, grown_by_columns

if TYPE_CHECKING:
    from collections.abc import MutableSequence

    from lakewarden.facts.completeness import Completeness
    from lakewarden.facts.fact import Fact
    from lakewarden.facts.places import Places
    from lakewarden.policy.model import Policy

#: What is computed here, each with the tables that it is computed from: a command that fills those fills these.
CLOSED = {
    "effective_grants": ("grants",),
    "champions": ("model_aliases",),
    "required_tags": ("model_version_tags",),
    "run_commit": ("commit_evidence",),
    "model_identities": ("model_versions", "effective_grants"),
}


def close(rows: dict[str, MutableSequence[Fact]], policy: Policy, places: Places, complete: Completeness) -> None:
    """Add to `rows` what follows from them on the live planes. Securables must be there already."""
    for name in TABLES["securables"].listed_by:
        for plane, key in columns(rows[name], "plane", "key"):
            if plane != "declared":
                complete.mark("securables", plane, key)
    for job in rows["jobs"]:
        if job.plane != "declared":
            complete.mark("principal_stages", job.plane, job.key)
    for some in access.effective_grants(rows, complete):
        rows["effective_grants"] = grown_by_columns(rows["effective_grants"], "effective_grants", some)
    rows["principal_summary"] = [*rows["principal_summary"], *members.summaries(rows, complete)]
    rows["model_versions"] = versions.versions(rows, policy, complete)
    rows["models"] = versions.models(rows)
    rows["champions"] = [*rows["champions"], *versions.champions(rows, policy, complete)]
    rows["served_entities"] = versions.served(rows)
    rows["required_tags"] = [*rows["required_tags"], *versions.required_tags(rows, policy, complete)]
    rows["run_commit"] = [*rows["run_commit"], *commits.run_commits(rows, policy, complete)]
    rows["model_identities"] = [*rows["model_identities"], *identities.model_identities(rows, complete)]
    rows["deployments"] = deployed.deployments(rows, policy)
    for table in ("tasks", "task_upstream"):
        rows[table] = deployed.with_roles(rows, table)
    rows["external_locations"] = storage.locations(rows, places, complete)
