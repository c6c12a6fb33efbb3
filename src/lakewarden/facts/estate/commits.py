"""The commit that a run is held to: the strongest rung of evidence; all rungs that are present must agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.tracking import RunCommit
from lakewarden.policy.attribute import gate_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lakewarden.facts.completeness import Completeness
    from lakewarden.facts.fact import Fact
    from lakewarden.policy.model import Policy

#: Strongest first.
RUNGS = ("git-snapshot", "deployment-record", "deployment-metadata", "captured-statement", "launch-parameters", "run-tags")
#: A signed statement that was made when the run was. Most runs have none; one that is there looked at all other rungs then.
_CAPTURED = "captured-statement"


def run_commits(rows: Mapping[str, Sequence[Fact]], policy: Policy, complete: Completeness) -> Iterator[RunCommit]:
    """One row for each run of which evidence was read."""
    weakest = _weakest(rows, policy)
    written = {(row.plane, row.key) for row in rows["run_commit"]}
    evidence: dict[tuple[str, str], list[Fact]] = {}
    for row in rows["commit_evidence"]:
        evidence.setdefault((row.plane, row.__dict__["run"]), []).append(row)
    for run in rows["runs"]:
        at = (run.plane, run.key)
        if run.plane == "declared" or at in written:
            continue
        unseen = complete.gap_of("commit_evidence", run.plane, None, run.key)
        rungs = sorted(evidence.get(at, ()), key=_rank)
        if not rungs:
            if unseen is not None:
                complete.hole("run_commit", run.plane, run.key, unseen)
            continue
        complete.mark("run_commit", run.plane, run.key)
        held = held_to(run, rungs, whole=unseen is None)
        held.accepted = _is_accepted(held.__dict__.get("rung"), weakest.get(at))
        complete.gaps.extend(_why(held, None if unseen is None else complete.gaps[unseen]))
        yield held


def _weakest(rows: Mapping[str, Sequence[Fact]], policy: Policy) -> dict[tuple[str, str], str]:
    """By run the weakest rung that the policy accepts of it; of several models that it made, the strictest."""
    names = {(row.plane, row.key): row.__dict__.get("name") for row in rows["models"]}
    found: dict[tuple[str, str], str] = {}
    for version in rows["model_versions"]:
        name = names.get((version.plane, version.__dict__["model"]))
        if name is not None:
            at, rung = (version.plane, str(version.__dict__.get("run"))), gate_of(policy, name).commit_evidence
            found[at] = min(found.get(at, rung), rung, key=_strength)
    return found


def _is_accepted(rung: str | None, weakest: str | None) -> bool | None:
    return None if rung is None or weakest is None else _strength(rung) <= _strength(weakest)


def _strength(rung: str) -> int:
    """0 for the strongest. A captured statement, which only a signer who is trusted makes, stands before what the run says itself;
    where it rests on tags alone it is told as tags.
    """
    return RUNGS.index(rung)


def _why(held: RunCommit, unseen: Gap | None) -> Iterator[Gap]:
    """Why it is not known which commit a run is held to, or whether it is all that ran."""
    values = held.__dict__
    about: dict[str, Any] = {"facts": "run_commit", "plane": held.plane, "parent": held.key, "value": True}
    if unseen is not None:
        yield unseen._replace(**about)
    elif values.get("commit") is None:
        remedy = "record all 40 digits of the commit"
        yield Gap(Cause.UNRESOLVED, reason=f"evidence for run {held.key} names no whole commit", remedy=remedy, **about)
    if values.get("commit") not in (None, "none") and values.get("dirty") is None:
        reason = f"nobody recorded whether the working tree was changed when the code of run {held.key} was deployed"
        remedy = 'deploy from a clean checkout in CI and add "mlflow.source.git.dirty": "false" to MLFLOW_RUN_CONTEXT'
        yield Gap(Cause.UNRESOLVED, reason=reason, remedy=remedy, origin=held.origin, **about)


def held_to(run: Fact, rungs: list[Fact], *, whole: bool) -> RunCommit:
    """The commit that the rungs of a run, strongest first, hold it to; `whole` says that none of them is missing."""
    said = [row.__dict__ for row in rungs]
    present = [row for row in said if row.get("commit") != "none"]
    commits = {row.get("commit") for row in present}
    # A rung that nobody looked at may hold another commit.
    looked = {row.get("rung") for row in said}
    doubt = not whole or None in commits or not (_CAPTURED in looked or looked >= set(RUNGS) - {_CAPTURED})
    if not present:
        return RunCommit(
            key=run.key,
            plane=run.plane,
            project=run.project,
            origin=run.origin,
            commit="none" if not doubt else None,
            commit_key="none" if not doubt else None,
        )
    strongest = present[0]
    return RunCommit(
        key=run.key,
        plane=run.plane,
        project=run.project,
        origin=strongest.get("origin"),
        commit=strongest.get("commit"),
        commit_key=strongest.get("commit_key"),
        rung=strongest.get("rung"),
        agreed=False if len(commits - {None}) > 1 else None if doubt else True,
        dirty=_dirty(strongest, present),
    )


def _dirty(strongest: dict[str, Any], present: list[dict[str, Any]]) -> bool | None:
    """Was the working tree changed? Any rung may say so; that it was not has to be said of the same commit, and not by tags
    alone where something stronger names it.
    """
    if any(row.get("dirty") is True for row in present):
        return True
    heard = [row for row in present if row is strongest or row.get("rung") != "run-tags"]
    clean = any(row.get("dirty") is False and row.get("commit") == strongest.get("commit") for row in heard)
    return False if clean else None


def _rank(row: Fact) -> int:
    rung = row.__dict__.get("rung")
    return RUNGS.index(rung) if rung in RUNGS else len(RUNGS)
