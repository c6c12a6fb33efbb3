"""GitLab: environments, and who protects them: the project by their names, its groups by their tiers. Both hold at once.

Sources: the REST API v4 of GitLab (environments, protected environments of projects and of groups).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lakewarden.errors import SourceError
from lakewarden.sources.platform.git_host.repository import FAMILY, GitRepository, SeenEnvironment
from lakewarden.sources.platform.wire.errors import Failed, Missing, Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

RIGHT = "the scope read_api and the role Maintainer in the project to the token"
_OF_GROUP = "the role Maintainer in the group {} to the token: groups protect environments too"
_PAGE = {"per_page": 100}


def project_of(repository: GitRepository) -> str:
    """The path of a project in the API."""
    return f"/projects/{quote(repository.path, safe='')}"


def seen_environments(repository: GitRepository) -> Iterator[SeenEnvironment]:
    """The environments that the project protects; where its groups could be asked too, all that it has."""
    path = f"{project_of(repository)}/protected_environments"
    try:
        own = {str(row.get("name")): row for row in repository.api.linked(path, _PAGE, family=FAMILY, right=RIGHT)}
    except Missing as problem:
        reason = (
            f"the protected environments of {repository.key} are not shown: the token may not read them, or the plan has none"
        )
        raise Refused(reason, f"grant {RIGHT}", status=problem.status) from None
    # A job in an environment that the project does not protect waits for nobody, unless a group protects it.
    try:
        tiers = _tiers(repository)
        groups: list[dict[str, Any]] | SourceError = _of_groups(repository)
    except SourceError as problem:
        tiers, groups = {}, problem
    for name in {**own, **(tiers if isinstance(groups, list) else {})}:
        approval, missing = _approval(repository, name, own.get(name), tiers.get(name), groups)
        yield SeenEnvironment(name, f"{path}/{quote(name, safe='')}", approval, "*", missing)


def _tiers(repository: GitRepository) -> dict[str, str | None]:
    """The tier of each environment of the project."""
    path, found = f"{project_of(repository)}/environments", dict[str, "str | None"]()
    for row in repository.api.linked(path, _PAGE, family=FAMILY, right=RIGHT):
        name, tier = row.get("name"), row.get("tier")
        if not isinstance(name, str) or not name:
            raise Failed(f"{repository.key}: an environment without a name", "run again; report it if it stays so")
        found[name] = tier if isinstance(tier, str) else None
    return found


def _of_groups(repository: GitRepository) -> list[dict[str, Any]]:
    """What the groups around the project protect, by tiers. Raises a SourceError where one does not tell it."""
    said = repository.api.get(project_of(repository), family=FAMILY, right=RIGHT).get("namespace") or {}
    kind, whole = said.get("kind"), said.get("full_path")
    if kind == "user":
        return []
    if kind != "group" or not isinstance(whole, str) or not whole:
        raise Failed(f"{repository.key}: the project does not say which group it is in", "run again; report it if it stays so")
    parts, rows = whole.split("/"), list[dict[str, Any]]()
    for size in range(len(parts), 0, -1):
        group = "/".join(parts[:size])
        right = _OF_GROUP.format(group)
        path = f"/groups/{quote(group, safe='')}/protected_environments"
        try:
            rows += repository.api.linked(path, _PAGE, family=FAMILY, right=right)
        except Missing as problem:
            raise Refused(f"what the group {group} protects is not shown to this token", f"grant {right}") from problem
    return rows


def _approval(
    repository: GitRepository, name: str, own: dict[str, Any] | None, tier: str | None, groups: list[dict[str, Any]] | SourceError
) -> tuple[bool | None, SourceError | None]:
    """Does a job in the environment wait for a person? With the reason where that is not known."""
    rows = [own] if own is not None else []
    if isinstance(groups, list):
        rows += [row for row in groups if tier is None or row.get("name") == tier]
    if (own is not None and _asks(own)) or (tier is not None and any(map(_asks, rows))):
        return True, None
    if rows:
        restricted = f"environment {name} of {repository.key} asks for no approval; who may deploy to it is restricted"
        return None, SourceError("unresolved", restricted, "add an approval rule to the protected environment")
    return False, None


def _asks(row: dict[str, Any]) -> bool:
    asked = [int(row.get("required_approval_count") or 0)]
    asked += [int(rule.get("required_approvals") or 0) for rule in row.get("approval_rules") or ()]
    return max(asked) > 0
