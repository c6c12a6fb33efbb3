"""What an audit reads of earlier gates: the attestations in the folders that are given, or that the policy names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lakewarden.errors import SourceError
from lakewarden.facts.gaps import Cause

if TYPE_CHECKING:
    from lakewarden.facts.collect import Facts
    from lakewarden.policy.model import Policy

FILLS = frozenset({"attestations"})


def attested(facts: Facts, policy: Policy, given: Path | None) -> frozenset[str]:
    """Write what was attested of each version that was seen; the tables that this fills, none where nothing names a folder.

    Raises:
        UsageError: a key that the policy trusts cannot be read.
    """
    base = Path(policy.path).resolve().parent if policy.path is not None else Path.cwd()
    said = (policy.gate.attestations, *(project.gate.attestations for project in policy.projects))
    folders = dict.fromkeys((given,) if given is not None else (base / one for one in said if one is not None))
    if not folders:
        return frozenset()
    from lakewarden.gate.attested import Archive, archive_of, write_attestations

    found = Archive()
    for folder in folders:
        one = archive_of(folder, policy)
        problem = one.problem
        if not folder.is_dir():
            advice = "fetch the attestations, and name their folder with --attestations DIR"
            problem = SourceError(Cause.FAILED.value, f"there is no folder {folder} of attestations", advice)
        found = Archive((*found.statements, *one.statements), found.problem or problem)
    write_attestations(facts, found)
    return FILLS
