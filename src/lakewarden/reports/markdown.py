"""The Markdown of rule documentation, as far as rules use it: paragraphs, lists, code by indentation or fence."""

from __future__ import annotations

import re
import textwrap
from typing import NamedTuple

from lakewarden.reports.escape import clean
from lakewarden.reports.page import Line, plain, wrap


class Block(NamedTuple):
    """A piece of a document; `kind` is `text`, `item` or `code`."""

    kind: str
    text: str


def blocks(markdown: str) -> list[Block]:
    """Split a section into its pieces."""
    found: list[Block] = []
    paragraph: list[str] = []
    fenced = False

    def close() -> None:
        if paragraph:
            found.extend(_paragraph(paragraph))
            paragraph.clear()

    for line in markdown.expandtabs(4).split("\n"):
        if line.lstrip().startswith("```"):
            if fenced:
                found.append(Block("code", textwrap.dedent("\n".join(paragraph))))
                paragraph.clear()
            else:
                close()
            fenced = not fenced
        elif fenced or line.strip():
            paragraph.append(line)
        else:
            close()
    close()
    return _joined(found)


_INDENT = "    "
_ITEM = re.compile(r"\s{0,3}(?:[-*+]|\d+[.)])\s+")


def _paragraph(lines: list[str]) -> list[Block]:
    # The first line of a section may have lost its indentation, so the others tell.
    if all(line.startswith(_INDENT) for line in lines[1:] or lines):
        return [Block("code", "\n".join(line.removeprefix(_INDENT) for line in lines))]
    pieces: list[Block] = []
    for line in lines:
        item = _ITEM.match(line)
        if item:
            pieces.append(Block("item", line[item.end() :].strip()))
        elif pieces:
            pieces[-1] = pieces[-1]._replace(text=f"{pieces[-1].text} {line.strip()}")
        else:
            pieces.append(Block("text", line.strip()))
    return pieces


def _joined(found: list[Block]) -> list[Block]:
    """Code that is only parted by an empty line is one piece."""
    joined: list[Block] = []
    for block in found:
        if joined and block.kind == joined[-1].kind == "code":
            joined[-1] = Block("code", f"{joined[-1].text}\n\n{block.text}")
        else:
            joined.append(block)
    return joined


def inline(text: str) -> str:
    """Without the marks that a terminal does not show: links as text and address, no asterisks for bold."""
    text = re.sub(r"\[([^\]]+)\]\(([^)\s]+)\)", r"\1 (\2)", text)
    return re.sub(r"\*\*([^*]+)\*\*", r"\1", text)


def first_sentence(markdown: str) -> str:
    """The first sentence that is not code; empty where there is none."""
    prose = next((block.text for block in blocks(markdown) if block.kind != "code"), "")
    sentence = re.split(r"(?<=[.!?])\s+(?=[A-Z`\"])", inline(prose), maxsplit=1)[0]
    return f"{sentence[:-1]}." if sentence.endswith(":") else sentence


def to_terminal(markdown: str, width: int, indent: str = "    ") -> list[Line]:
    """Lines for a terminal; code keeps its line breaks."""
    lines: list[Line] = []
    last = ""
    for block in blocks(markdown):
        if lines and not block.kind == last == "item":
            lines.append(plain())
        if block.kind == "code":
            lines.extend(plain(f"{indent}    {clean(line)}".rstrip(), "cyan") for line in block.text.split("\n"))
        else:
            lines.extend(wrap(clean(inline(block.text)), width, indent + ("- " if block.kind == "item" else "")))
        last = block.kind
    return lines
