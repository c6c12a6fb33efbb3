"""CODEOWNERS of GitHub and GitLab: who owns a path."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from lakewarden.policy.globs import Matcher, path_matcher

#: Where the file may be; the first that exists counts.
LOCATIONS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")

_SECTION = re.compile(r"^\^?\[(?P<name>[^\]]+)\](?:\[\d+\])?(?P<owners>.*)$")
_FIELD = re.compile(r"(?:\\.|[^\s\\])+")


class _Entry(NamedTuple):
    matches: Matcher
    owners: tuple[str, ...]


@lru_cache(maxsize=8)
def _sections(text: str) -> tuple[tuple[_Entry, ...], ...]:
    """The entries of each section, in the order of the file."""
    sections: dict[str, list[_Entry]] = {"": []}
    entries = sections[""]
    default: tuple[str, ...] = ()
    for raw in text.lstrip("\ufeff").splitlines():
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if section := _SECTION.match(line):
            entries = sections.setdefault(section["name"].casefold().strip(), [])
            default = _owners(_FIELD.findall(section["owners"]))
            continue
        glob, *rest = _FIELD.findall(line) or [line]  # a lone backslash is no field
        excluded = glob.startswith("!")
        glob = re.sub(r"\\(.)", r"\1", glob.removeprefix("!"))
        # `docs/*` means the files of docs, not those of its folders
        below = not (glob.endswith("/*") or glob in {"", "/"})
        owners = () if excluded else _owners(rest) or default
        entries.append(_Entry(path_matcher(glob, below=below), owners))
    return tuple(tuple(entries) for entries in sections.values())


def _owners(fields: list[str]) -> tuple[str, ...]:
    """The owners up to a comment."""
    end = next((at for at, field in enumerate(fields) if field.startswith("#")), len(fields))
    return tuple(fields[:end])


def owners_of(text: str, path: str) -> tuple[str, ...]:
    """The owners of a path relative to the root: of its last match, in each section where the file has sections."""
    owners: dict[str, None] = {}
    for entries in _sections(text):
        last = next((entry for entry in reversed(entries) if entry.matches(path)), None)
        if last is not None:
            owners.update(dict.fromkeys(last.owners))
    return tuple(owners)
