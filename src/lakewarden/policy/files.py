"""What the policy says of files and objects: which files are not read, which rules are not asked about them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from lakewarden.policy.globs import any_name, any_path, path_matcher
from lakewarden.policy.selectors import selects

if TYPE_CHECKING:
    from lakewarden.policy.model import Policy


@lru_cache(maxsize=65536)
def excluded(policy: Policy, path: str) -> bool:
    """Tell whether a file or folder is not read; `path` is relative to the root, a folder's ends with `/`."""
    return any_path(policy.exclude, path)


@lru_cache(maxsize=65536)
def ignored_rules(policy: Policy, path: str) -> tuple[str, ...]:
    """Return the codes, or beginnings of codes, of the rules that are not asked about a file."""
    return tuple(s for glob, selectors in policy.per_path_ignores.items() if path_matcher(glob)(path) for s in selectors)


def ignored(policy: Policy, code: str, path: str | None, subject: str | None = None) -> bool:
    """Tell whether a rule is not asked about an object: for the file it stands in, or for its key."""
    if path is not None and policy.per_path_ignores and selects(ignored_rules(policy, path), code):
        return True
    rule = policy.rules.get(code)
    return rule is not None and subject is not None and any_name(rule.exclude, subject)
