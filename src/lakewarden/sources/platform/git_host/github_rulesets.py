"""Rulesets of GitHub: what they ask of a branch, and who goes around them.

Sources: the REST API of GitHub, version 2022-11-28 ("Get rules for a branch", "Get a repository ruleset"). Admins may change
a rule, so that they may bypass it takes nothing away; anybody else who bypasses it does. Who that is GitHub shows only to those
who may edit the ruleset.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lakewarden.errors import SourceError
from lakewarden.sources.platform.git_host.repository import FAMILY, GitRepository, Protection
from lakewarden.sources.platform.wire.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

_PAGE = 100
METADATA = "Metadata (read) of the repository to the token"
#: What it says of a private repository whose plan enforces no rules.
_NOT_IN_PLAN = "upgrade to"
_ADMINS = frozenset({"OrganizationAdmin", "EnterpriseOwner"})
#: Number of the role of a repository's admins (REST, "Create a repository ruleset").
_ADMIN_ROLE = 5
_HOLD = (
    "read it with a token that may edit the ruleset: Administration (write) of the repository, of the organization for one of its "
    "own; or hold the branch by classic protection too"
)


def rulesets(repository: GitRepository, name: str) -> Protection:
    """The rules of all active rulesets for a branch, those of the organisation included. A rule that somebody bypasses, or
    may bypass for all that is shown, is not known to hold.
    """
    path = f"/repos/{repository.path}/rules/branches/{quote(name, safe='')}"
    try:
        rules = list(repository.api.linked(path, {"per_page": _PAGE}, family=FAMILY, right=METADATA))
    except Refused as problem:
        if _NOT_IN_PLAN not in problem.said.lower():
            raise
        rules = []
    found = Protection()
    around: dict[object, SourceError | None] = {}
    for rule in rules:
        asks = _asks(rule)
        if asks == Protection():
            continue
        number = rule.get("ruleset_id")
        if number not in around:
            around[number] = _bypassed(repository, number)
        found = found.and_also(asks if around[number] is None else _perhaps(asks, around[number]))
    return found


def _asks(rule: Mapping[str, Any]) -> Protection:
    kind, parameters = rule.get("type"), rule.get("parameters") or {}
    if kind == "pull_request":
        return Protection(approvals=number_of(parameters, "required_approving_review_count"))
    if kind == "required_status_checks":
        return Protection(checks=len(parameters.get("required_status_checks") or ()))
    if kind == "workflows":
        return Protection(checks=len(parameters.get("workflows") or ()))
    if kind == "non_fast_forward":
        return Protection(force_push=False)
    return Protection(deletion=False) if kind == "deletion" else Protection()


def _perhaps(asks: Protection, why: SourceError | None) -> Protection:
    """What a rule asks, if it holds."""
    return Protection(
        0 if asks.approvals == 0 else None,
        0 if asks.checks == 0 else None,
        True if asks.force_push else None,
        True if asks.deletion else None,
        why,
    )


def _bypassed(repository: GitRepository, number: object) -> SourceError | None:
    """Why a ruleset may not hold; None where nobody but admins bypasses it."""
    path = f"/repos/{repository.path}/rulesets/{number}"
    try:
        actors = repository.api.get(path, {"includes_parents": "true"}, family=FAMILY, right=METADATA).get("bypass_actors")
    except SourceError as problem:
        return problem
    if not isinstance(actors, list):
        reason = f"who bypasses ruleset {number} of {repository.key} is shown to those alone who may edit it"
        return SourceError("unresolved", reason, _HOLD)
    others = sorted(f"{one.get('actor_type')} {one.get('actor_id') or ''}".strip() for one in actors if not _is_admin(one))
    if not others:
        return None
    reason = f"ruleset {number} of {repository.key} is bypassed by {', '.join(others)}"
    return SourceError("unresolved", reason, "let nobody but admins bypass it")


def _is_admin(actor: Mapping[str, Any]) -> bool:
    kind = actor.get("actor_type")
    return kind in _ADMINS or (kind == "RepositoryRole" and actor.get("actor_id") == _ADMIN_ROLE)


def number_of(row: Mapping[str, Any], name: str) -> int | None:
    """A number that an answer may have."""
    value = row.get(name)
    return value if isinstance(value, int) else None
