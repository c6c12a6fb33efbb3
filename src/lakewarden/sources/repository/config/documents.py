"""Reads a configuration file of any format as nodes that know their lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lakewarden.errors import SourceError
from lakewarden.sources.repository.bundle.json_nodes import JsonError, parse
from lakewarden.sources.yaml_nodes import Map, Node, Scalar

if TYPE_CHECKING:
    from lakewarden.sources.source import Context

YAML, JSON, LINES = (".yml", ".yaml"), (".json",), (".toml", ".ini", ".cfg", ".conf", ".properties")
ENDINGS = (*YAML, *JSON, *LINES)
#: Larger files hold data.
MAX_BYTES = 200_000

_SECTION = re.compile(r"\s*\[\[?\s*([^\[\]]+?)\s*\]\]?\s*(?:[#;].*)?$")
_ENTRY = re.compile(r"""\s*([\w.\-"']+)\s*[=:]\s*(?:"([^"]*)"|'([^']*)'|([^\s#;\[{"'][^#;]*?))\s*(?:[#;].*)?$""")


def load(context: Context, path: str) -> Node | None:
    """What a file holds; None where it is empty.

    Raises:
        SourceError: it cannot be read, or is not what its name says.
    """
    if path.endswith(YAML):
        return context.layout.documents.load(path).root
    text = context.tree.text(path)
    if path.endswith(JSON):
        try:
            return parse(text, path)
        except JsonError as error:
            reason = f"{path}:{error.line}:{error.column}: {error.what}"
            raise SourceError("failed", reason, "mend the file, or exclude it") from None
    return _of_lines(text, path)


def _of_lines(text: str, path: str) -> Map:
    """TOML and INI as far as they agree: sections, and single values on one line. What spans lines is left out."""
    root = Map(path, 1, 1, 1)
    inside = root
    for number, line in enumerate(text.split("\n"), 1):
        section = _SECTION.match(line)
        if section is not None:
            inside = root
            for key in section[1].replace('"', "").replace("'", "").split("."):
                inside = _below(inside, key.strip(), number)
            continue
        entry = _ENTRY.match(line)
        if entry is None:
            continue
        *above, key = entry[1].replace('"', "").replace("'", "").split(".")
        holder = inside
        for name in above:
            holder = _below(holder, name, number)
        value = next((group for group in entry.groups()[1:] if group is not None), "")
        _put(holder, key, Scalar(path, number, 1, number, value, plain=entry[4] is not None), number)
    return root


def _below(holder: Map, key: str, line: int) -> Map:
    found = holder.items.get(key)
    if isinstance(found, Map):
        return found
    made = Map(holder.path, line, 1, line)
    _put(holder, key, made, line)
    return made


def _put(holder: Map, key: str, node: Node, line: int) -> None:
    node.parent, node.key, node.key_line, node.key_column = holder, key, line, 1
    holder.items[key] = node
