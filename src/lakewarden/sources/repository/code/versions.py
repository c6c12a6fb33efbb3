"""Which versions of MLflow a project installs: does it accept the arguments of a call?"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from lakewarden.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lakewarden.sources.tree import Tree

_NAMES = ("pyproject.toml", "setup.cfg", "setup.py", "environment.yml", "environment.yaml", "conda.yml", "conda.yaml")
_REFUSING_MAJOR = 3


def requirements(tree: Tree) -> dict[str, list[str]]:
    """The requirements of MLflow by the folder of the file that states them."""
    pattern = re.compile(
        r"(?:^|[\s\"'\-:,\[])mlflow(?:-skinny)?(?:\[[\w,]*\])?[ \t]*((?:[=<>~!]=?=?[ \t]*[\d][\w.*]*[ \t]*,?[ \t]*)+)",
        re.MULTILINE,
    )
    found: dict[str, list[str]] = {}
    for path, _ in tree.files:
        name = posixpath.basename(path)
        stated = name in _NAMES or (name.startswith(("requirements", "constraints")) and name.endswith(".txt"))
        if not stated and not name.endswith((".yml", ".yaml")):
            continue
        try:
            text = tree.text(path)
        except SourceError:
            continue
        specs = [match[1] for line in text.split("\n") if "mlflow" in line for match in pattern.finditer(line.partition("#")[0])]
        if specs:
            found.setdefault(posixpath.dirname(path), []).extend(specs)
    return found


def accepts(path: str, pins: Iterable[str], stated: dict[str, list[str]]) -> bool | None:
    """Does the version of MLflow that a file runs with accept what version 3 refuses? NULL where that is not known."""
    own = {_verdict(pin.lower().removeprefix("mlflow").removeprefix("-skinny")) for pin in pins}
    if own - {None}:
        return _agreed(own)
    folder = posixpath.dirname(path)
    while True:
        if folder in stated:
            return _agreed({_verdict(spec) for spec in stated[folder]})
        if not folder:
            break
        folder = posixpath.dirname(folder)
    return None


def _agreed(answers: set[bool | None]) -> bool | None:
    known = answers - {None}
    return known.pop() if len(known) == 1 else None


def _verdict(spec: str) -> bool | None:
    """TRUE for versions below 3, FALSE for 3 and above, NULL where the requirement allows both."""
    for operator, version in re.findall(r"([=<>~!]=?=?)\s*(\d+)", spec):
        major = int(version)
        if operator in ("==", "===", "~=") or (operator in (">=", ">") and major >= _REFUSING_MAJOR):
            return major < _REFUSING_MAJOR
        if operator == "<" and major <= _REFUSING_MAJOR:
            return True
        if operator == "<=" and major < _REFUSING_MAJOR:
            return True
    return None
