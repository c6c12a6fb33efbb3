"""What a notebook installs before it runs: the lines of `%pip install`, `!pip install` and those of cells with `%sh`."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any, NamedTuple

from lakewarden.errors import SourceError
from lakewarden.facts.origin import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.sources.tree import Tree

_WORDS = (b"pip install", b"pip3 install")
_COMMAND = r"(?:uv\s+)?(?:sudo\s+)?(?:/[\w./-]*/)?(?:python3?\s+-m\s+)?pip3?\s+install\s+"
_PIP = re.compile(rf"^\s*(?:#\s*MAGIC\s+)?(?P<sign>%|!\s*|%sh\s+)?{_COMMAND}(?P<rest>.+?)\s*$")
#: The magic that begins a cell, and what ends a cell of a notebook in source format.
_BEGINS = re.compile(r"^\s*(?:#\s*MAGIC\s+)?%(\w+)")
_ENDS = re.compile(r"^# COMMAND ----------|^(?!\s*#\s*MAGIC|\s*$)")
_SHELL_ENDS = re.compile(r"\s*(?:&&|\|\||[;|&]|\s>).*$")
#: Options of pip that take a value; `-r` and `-c` name files.
_WITH_VALUE = frozenset({"-f", "--find-links", "-i", "--index-url", "--extra-index-url", "-t", "--target", "--trusted-host"})
_FILES = {"-r": "-r", "--requirement": "-r", "-c": "-c", "--constraint": "-c"}
_OPEN = re.compile(r"[${}]|^['\"]?\{")
_LARGEST = 5_000_000


class Install(NamedTuple):
    """One thing that a line installs; `file` where it names a file of requirements. None is a text that code makes."""

    text: str | None
    origin: Origin
    file: str | None = None


def installs_of(tree: Tree, path: str) -> list[Install]:
    """What a notebook installs by pip; nothing where the file cannot be read, which whoever reads code says."""
    try:
        data = tree.read(path)
    except SourceError:
        return []
    if len(data) > _LARGEST or not any(word in data for word in _WORDS):
        return []
    text = data.decode("utf-8", "replace")
    if not path.endswith(".ipynb"):
        found = [(rest, Origin(path, number)) for number, rest in _lines(text, is_source=True)]
    else:
        lines = [(number, rest) for number, source in _cells(text) for _, rest in _lines(source, is_source=False)]
        # A line of a cell stands on one line of JSON, unless the JSON is written on a single one.
        at = [number for number, line in enumerate(text.split("\n"), 1) if "pip install" in line or "pip3 install" in line]
        places = at if len(at) == len(lines) else [None] * len(lines)
        found = [(line, Origin(path, place, cell=cell)) for (cell, line), place in zip(lines, places, strict=True)]
    return [install for line, origin in found for install in _line(line, origin)]


def _lines(text: str, *, is_source: bool) -> Iterator[tuple[int, str]]:
    """The number of each line that installs, and what it installs. In source format a text holds all cells."""
    magic = ""
    for number, line in enumerate(text.split("\n"), 1):
        if is_source and _ENDS.match(line):
            magic = ""
        begins = _BEGINS.match(line)
        if begins is not None and not magic:
            magic = begins[1]
        found = _PIP.match(line)
        if found is not None and (found["sign"] or magic == "sh"):
            by_shell = magic == "sh" or (found["sign"] or "%")[0] == "!"
            yield number, _SHELL_ENDS.sub("", found["rest"]) if by_shell else found["rest"]


def _cells(text: str) -> Iterator[tuple[int, str]]:
    """The number and the text of each cell of code of an `.ipynb` file."""
    try:
        notebook: Any = json.loads(text)
    except (ValueError, RecursionError):
        return
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    for number, cell in enumerate(cells if isinstance(cells, list) else ()):
        source = cell.get("source") if isinstance(cell, dict) and cell.get("cell_type") == "code" else None
        lines = source if isinstance(source, list) else [source]
        yield number, "".join(line for line in lines if isinstance(line, str))


def _line(arguments: str, origin: Origin) -> Iterator[Install]:
    """The arguments of one `pip install`."""
    try:
        words = shlex.split(arguments, comments=True)
    except ValueError:
        return
    skip = False
    file: str | None = None
    for word in words:
        if skip:
            skip = False
        elif file is not None:
            yield from () if file == "-c" else (Install(None if _OPEN.search(word) else word, origin, "-r"),)
            file = None
        elif word in _FILES:
            file = _FILES[word]
        elif word in _WITH_VALUE:
            skip = True
        elif not word.startswith("-"):
            yield Install(None if _OPEN.search(word) else word, origin)
