"""`extend`: one policy over another. Tables are merged by key; what the one below locks, the one above may not loosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from lakewarden.policy.check import fields_at, known_path
from lakewarden.policy.model import Policy
from lakewarden.policy.selectors import selects
from lakewarden.policy.wrong import did_you_mean, wrong

if TYPE_CHECKING:
    from collections.abc import Iterator

KeyPath = tuple[str, ...]

#: Values from the loosest to the strictest, by the last key of their path.
_ORDERS: dict[str, tuple[Any, ...]] = {
    "severity": ("note", "warning", "error"),
    "fail_on": ("error", "warning", "note"),
    "confidence": ("advisory", "medium", "high"),
    "fail_confidence": ("high", "medium", "advisory"),
    "profile": ("core", "recommended", "strict"),
    "enabled": (False, True),
    "level": ("identity", "lineage", "validated", "approved"),
    "commit_evidence": (
        "run-tags",
        "launch-parameters",
        "captured-statement",
        "deployment-metadata",
        "deployment-record",
        "git-snapshot",
    ),
    "inline": ("allow", "warnings-only", "deny"),
    "nonprod_read_of_prod": ("allow", "deny"),
    "deployment_pattern": ("deploy-models", "deploy-code"),
    "promotion": ("automated", "manual"),
    "approval": ("none", "required"),
    "grants_managed_elsewhere": (True, False),
    "require_explicit_run_as": (False, True),
    "allow_public_log": (True, False),
    "allow_unsigned": (True, False),
}
#: Lists that are the stricter the more they hold, and lists that are the stricter the less they hold.
_MORE = frozenset({"require", "required_checks", "unwaivable", "extend_select", "required_tags", "lock"})
_LESS = frozenset({"ignore", "exclude", "release_refs", "trusted", "accept"})
#: Numbers that are the stricter the smaller they are.
_MOST = frozenset({"max_days", "max_age_days"})
#: Lists to which every policy adds its own.
APPENDED = ("waivers", "accepted_gaps", "own_rules", "rule_packages")
#: Those of them that only ever make a policy stricter.
_STRICTER = frozenset({"own_rules", "rule_packages"})


class Layer(NamedTuple):
    """A policy file with all that it extends: the merged table, the file of each key and the file of each lock."""

    file: str
    table: dict[str, Any]
    written: dict[KeyPath, str]
    locks: dict[KeyPath, str]


def layer(table: Mapping[str, Any], file: str) -> Layer:
    """Return the layer of one file alone; a lock on what is no key is a PolicyError."""
    locks: dict[KeyPath, str] = {}
    for at, entry in enumerate(table.get("lock", ())):
        path = tuple(entry.split("."))
        if not known_path(path):
            near = did_you_mean(path[-1], fields_at(path[:-1]))
            raise wrong(file, ("lock", at), f"{entry!r} is no key of a policy{near}")
        locks[path] = file
    return Layer(file, dict(table), dict.fromkeys(dict(_leaves(table)), file), locks)


def merged(below: Layer, above: Layer) -> Layer:
    """Put the layer `above` over the one that it extends. Loosening what is locked is a PolicyError that names both."""
    _refuse_loosening(below, above)
    table = _over(below.table, above.table, ())
    written = {**below.written, **above.written}
    for path, file in below.locks.items():
        if len(path) == 2 and path[0] == "rules" and not selects(below.table.get("ignore", ()), path[1]):  # noqa: PLR2004
            table.setdefault("rules", {}).setdefault(path[1], {}).setdefault("enabled", True)
            written.setdefault((*path, "enabled"), file)
    locks = {**above.locks, **below.locks}
    table["lock"] = [".".join(path) for path in locks]
    return Layer(above.file, table, written, locks)


def _over(below: Any, above: Any, path: KeyPath) -> Any:
    if isinstance(below, Mapping) and isinstance(above, Mapping):
        shared = {key: _over(below[key], above[key], (*path, key)) for key in below if key in above}
        return {**below, **above, **shared}
    if path == ("projects",):
        named = _over(_named(below), _named(above), path)
        return list(named.values())
    return [*below, *above] if len(path) == 1 and path[0] in APPENDED else above


def _named(projects: list[Any]) -> dict[str, Any]:
    return {project["name"]: project for project in projects}


def _leaves(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Every value of a table with its key path; projects count by their names."""
    if path == ("projects",):
        value = _named(value)
    if isinstance(value, Mapping) and (value or not path):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif path:
        yield path, value


def _refuse_loosening(below: Layer, above: Layer) -> None:
    known = dict(_leaves(below.table))
    for path, new in _leaves(above.table):
        lock = next((lock for lock in below.locks if path[: len(lock)] == lock), None)
        if lock is None or path[0] in {"lock", "extend"} | _STRICTER:
            continue
        old = known.get(path, _default(path))
        if path[0] in APPENDED or _looser(path[-1], old, new):
            held = f" ({old!r})" if path in known else ""
            owner = below.locks[lock]
            what = f"{new!r} loosens what {owner} locks{held}"
            raise wrong(above.file, path, what, f"remove the key, or ask the owner of {owner}")
    for path, file in below.locks.items():
        if path[0] == "rules" and len(path) <= 2:  # noqa: PLR2004 - all rules, or one with all its keys
            _refuse_silencing(below, above, path[1] if len(path) > 1 else None, file)


def _refuse_silencing(below: Layer, above: Layer, code: str | None, file: str) -> None:
    """Refuse the ways around a locked rule: ignoring it, everywhere or for some files, and selecting others only."""
    what = f"loosens what {file} locks (rules.{code or '*'})"
    table, held = above.table, below.table.get("per_path_ignores", {})
    lists: list[tuple[KeyPath, list[str], list[str]]] = [(("ignore",), table.get("ignore", []), below.table.get("ignore", []))]
    lists += [
        (("per_path_ignores", glob), codes, held.get(glob, [])) for glob, codes in table.get("per_path_ignores", {}).items()
    ]
    for path, new, old in lists:
        added = [selector for selector in new if selector not in old]
        if added and (code is None or selects(added, code)):
            raise wrong(above.file, path, f"ignoring {code or added[0]} {what}")
    if code is not None and "select" in table and not selects([*table["select"], *table.get("extend_select", ())], code):
        raise wrong(above.file, ("select",), f"leaving out {code} {what}")


def _looser(key: str, old: Any, new: Any) -> bool:
    """Tell whether the new value is less strict than the old (None: nothing was said), or not comparable with it."""
    if old == new:
        return False
    if key in _ORDERS:
        order = _ORDERS[key]
        if new not in order or old not in (*order, None):
            return True
        return bool(new != order[-1]) if old is None else order.index(new) < order.index(old)
    if key in _MORE:
        return not set(old or ()) <= set(new)
    if key == "policies" and isinstance(new, list):  # none means any
        return not new or (bool(old) and not set(new) <= set(old))
    if key in _LESS and isinstance(new, list):
        return old is None or not all(each in old for each in new)
    return key not in _MOST or (old is not None and new > old)


def _default(path: KeyPath) -> Any:
    """The model's default of a key; None for what stands in a table of free names."""
    value: Any = Policy()
    for key in path:
        if isinstance(value, Mapping) or not hasattr(value, key):
            return None
        value = getattr(value, key)
    plain = getattr(value, "value", value)
    return list(plain) if isinstance(plain, tuple) else plain
