"""JSON that people can read and diff: the outer levels over several lines, everything below on one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator


def dump(value: Any, out: TextIO, levels: int) -> None:
    """Write a document; `levels` of nesting get a line for each member."""
    out.writelines(_pieces(value, levels, ""))
    out.write("\n")


def _pieces(value: Any, levels: int, indent: str) -> Iterator[str]:
    if levels == 0 or not value or not isinstance(value, (dict, list)):
        yield json.dumps(value)
        return
    inner = indent + "  "
    members = value.items() if isinstance(value, dict) else ((None, item) for item in value)
    yield "{" if isinstance(value, dict) else "["
    for number, (name, item) in enumerate(members):
        yield ("," if number else "") + "\n" + inner + (f"{json.dumps(name)}: " if name is not None else "")
        yield from _pieces(item, levels - 1, inner)
    yield "\n" + indent + ("}" if isinstance(value, dict) else "]")
