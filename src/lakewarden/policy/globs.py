"""Globs: of names (targets, catalogs, principals, refs) and of paths."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from fnmatch import translate
from functools import lru_cache

_SPECIAL = re.compile(r"[*?\[]")
_BRACKET = re.compile(r"\[!?.[^\]]*\]", re.DOTALL)
_ESCAPED = re.compile(r"[*?\[{}]|^\s|\s$")

Matcher = Callable[[str], bool]


def problem(glob: str) -> str | None:
    """Say what is wrong with a glob, or None. What would silently match nothing is wrong."""
    bare = _BRACKET.sub("", glob)
    for wrong, what in (
        (not glob.strip(), "is empty"),
        (glob != glob.strip(), "begins or ends with a space"),
        ("{" in bare and "}" in bare, "has braces, which mean nothing here: write one glob for each alternative"),
        (glob.startswith("!"), "begins with '!', which means nothing here: globs only add"),
        ("[" in bare, "has '[' without ']': write '[[]' for the character itself"),
    ):
        if wrong:
            return what
    return None


def path_problem(glob: str) -> str | None:
    """Say what is wrong with a glob of paths, or None."""
    if "\\" in glob:
        return "has a backslash: paths are written with '/'"
    if ".." in glob.split("/"):
        return "has '..': paths are relative to the policy file and stay below the repository's root"
    return problem(glob)


def literal(glob: str) -> bool:
    """Tell whether it is a plain name."""
    return _SPECIAL.search(glob) is None


def escaped(name: str) -> str:
    """Return the glob that matches this name alone; a leading `!` becomes `?`, as brackets cannot hold it."""
    glob = _ESCAPED.sub(lambda special: f"[{special[0]}]", name)
    return f"?{glob[1:]}" if glob.startswith("!") else glob


@lru_cache(maxsize=4096)
def name_matcher(glob: str, *, fold: bool = True) -> Matcher:
    """Return what tells whether a name matches; `*` matches everything, `/` and `.` too. `fold` ignores case."""
    if fold:
        inner = name_matcher(glob.casefold(), fold=False)
        return lambda name: inner(name.casefold())
    if literal(glob):
        return glob.__eq__
    if glob.endswith("*") and literal(glob[:-1]):
        prefix = glob[:-1]
        return lambda name: name.startswith(prefix)
    pattern = re.compile(translate(glob))
    return lambda name: pattern.match(name) is not None


def any_name(globs: Iterable[str], name: str, *, fold: bool = True) -> bool:
    """Tell whether one of the globs matches the name."""
    return any(name_matcher(glob, fold=fold)(name) for glob in globs)


@lru_cache(maxsize=4096)
def path_matcher(glob: str, *, below: bool = True) -> Matcher:
    """Return what tells whether a path, with `/` and relative to the root, matches.

    A glob without `/` matches a file or folder of that name anywhere; one with `/` starts at the root. `*` and `?` stay
    within one name, `**` spans folders. `below`: what lies in a folder that matches, matches too.
    """
    folder = glob.endswith("/")
    body = glob.strip("/")
    parts = body.split("/")
    if "/" not in glob.rstrip("/"):
        parts.insert(0, "**")
    pattern = ""
    for at, part in enumerate(parts):
        last = at == len(parts) - 1
        if part == "**":
            pattern += ".+" if last else "(?:[^/]+/)*"
        else:
            pattern += _segment(part) + ("" if last else "/")
    if folder:
        pattern += "/.*"
    elif below:
        pattern += "(?:/.*)?"
    compiled = re.compile(pattern, re.DOTALL)
    return lambda path: compiled.fullmatch(path) is not None


def _segment(part: str) -> str:
    """One name of a path glob as a regular expression."""
    out, at = "", 0
    while at < len(part):
        char = part[at]
        at += 1
        if char == "*":
            out += "[^/]*"
        elif char == "?":
            out += "[^/]"
        elif char == "[" and (end := part.find("]", at + (2 if part[at : at + 1] == "!" else 1))) > 0:
            inside = part[at:end]
            negated = inside.startswith("!")
            members = inside[1:] if negated else inside
            out += f"(?!/)[{'^' if negated else ''}{_members(members)}]"
            at = end + 1
        else:
            out += re.escape(char)
    return out


def _members(members: str) -> str:
    """The inside of a bracket: ranges stay, all else is literal; a range that runs backwards holds nothing."""
    out, at = "", 0
    while at < len(members):
        if at + 2 < len(members) and members[at + 1] == "-":
            low, high = members[at], members[at + 2]
            out += f"{re.escape(low)}-{re.escape(high)}" if low <= high else ""
            at += 3
        else:
            out += re.escape(members[at])
            at += 1
    return out or r"^\s\S"


def any_path(globs: Iterable[str], path: str) -> bool:
    """Tell whether one of the globs matches the path."""
    return any(path_matcher(glob)(path) for glob in globs)


def below(folder: str, glob: str) -> str:
    """Rewrite a path glob that is relative to `folder` so that it is relative to the root that `folder` is in."""
    if folder in {"", "."} or path_problem(glob):
        return glob
    if glob in {".", "./"}:
        return folder
    folder = escaped(folder)
    slash = "/" in glob.rstrip("/")
    return f"{folder}/{glob.lstrip('/')}" if slash else f"{folder}/**/{glob}"
