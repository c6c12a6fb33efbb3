"""Does a script attach HEAD to a branch?"""

from __future__ import annotations

import re

_COMMAND = re.compile(
    r"(?:^|[;&|({]|\bthen\b|\bdo\b)\s*(?:sudo\s+)?git\s+(?:-[cC]\s+\S+\s+)*(checkout|switch)\b([^;&|\n#]*)", re.MULTILINE
)
_DETACHED = re.compile(
    r"(?i)^(?:origin/|upstream/|tags/|refs/|FETCH_HEAD|HEAD|[0-9a-f]{7,40}$|.*(?:_sha\b|sourceversion|commit_tag|\.sha\b))"
)


def attaches(text: str) -> bool:
    """Does a shell text check out a branch?"""
    return "git" in text and any(_is_branch(found[1], found[2].split()) for found in _COMMAND.finditer(text))


def _is_branch(command: str, words: list[str]) -> bool:
    if {"--detach", "--orphan", "--"} & set(words) or (command == "switch" and "-d" in words):
        return False
    if any(re.fullmatch(r"-[fq]*[bBcC]", word) or word in ("--create", "--force-create") for word in words):
        return True
    names = [word.strip("\"'") for word in words if not word.startswith("-")]
    if len(names) != 1:  # a checkout of files, or of nothing
        return False
    bare = re.sub(r"^\$[({]?|[)}]$", "", names[0])
    return _DETACHED.match(bare) is None and (command == "switch" or not re.search(r"\.\w{1,5}$|^\.|/$", bare))
