"""Reads Jupyter notebooks: cells of code, with the line of the file on which each starts where that can be told."""

from __future__ import annotations

import json
from typing import Any

from lakewarden.sources.repository.code.cells import Cell, Document, unreadable, with_magic

_REMEDY = "save the notebook again, or exclude it"


def read_notebook(text: str) -> Document:
    """Split an `.ipynb` file. What is no notebook, and each cell that is none, becomes a problem."""
    if not text.strip():
        return Document("python", True)
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        problem = unreadable(f"not valid JSON: {error.msg}", _REMEDY, line=error.lineno)
        return Document("python", True, problems=(problem,))
    except (ValueError, RecursionError):
        return Document("python", True, problems=(unreadable("JSON that is nested too deeply", _REMEDY),))
    raw = _raw_cells(content)
    if raw is None:
        return Document("python", True, problems=(unreadable("not a notebook: it has no list of cells", _REMEDY),))
    language = _language(content)
    cells: list[Cell] = []
    problems = []
    for index, item in enumerate(raw):
        source = _source(item)
        if source is None:
            problems.append(unreadable(f"cell {index} is no notebook cell", _REMEDY, cell=index))
        elif source.strip():
            cells.append(with_magic(source, None, index, language))
    return Document(language, True, _placed(cells, raw, text), tuple(problems))


def _raw_cells(content: Any) -> list[Any] | None:
    """The cells of a notebook, also of the old format with worksheets."""
    if not isinstance(content, dict):
        return None
    cells = content.get("cells")
    if cells is None and isinstance(content.get("worksheets"), list):
        sheets = [sheet.get("cells") for sheet in content["worksheets"] if isinstance(sheet, dict)]
        cells = [cell for sheet in sheets if isinstance(sheet, list) for cell in sheet]
    return cells if isinstance(cells, list) else None


def _language(content: dict[str, Any]) -> str:
    """The notebook's default language, in lower case; `python` where it names none."""
    metadata = content.get("metadata")
    if not isinstance(metadata, dict):
        return "python"
    for key, name in (
        ("application/vnd.databricks.v1+notebook", "language"),
        ("language_info", "name"),
        ("kernelspec", "language"),
    ):
        place = metadata.get(key)
        if isinstance(place, dict) and isinstance(place.get(name), str):
            language: str = place[name].lower()
            if language in ("sql", "scala", "r"):
                return language
    return "python"


def _source(cell: Any) -> str | None:
    """The text of a code cell; empty for other cells, None for what is no cell."""
    if not isinstance(cell, dict):
        return None
    if cell.get("cell_type") != "code":
        return ""
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        return None
    return source if source.isascii() else source.encode("utf-8", "replace").decode()


def _placed(cells: list[Cell], raw: list[Any], text: str) -> tuple[Cell, ...]:
    """The cells with their lines in the file, when the JSON is written with one line of source per line."""
    if text.count("\n") < len(raw):
        return tuple(cells)
    lines = text.split("\n")
    opening = [number for number, line in enumerate(lines) if line.strip() == '"source": [']
    wanted = [
        index
        for index, cell in enumerate(raw)
        if isinstance(cell, dict) and isinstance(cell.get("source"), list) and cell["source"]
    ]
    if len(opening) != len(wanted):
        return tuple(cells)
    first = dict(zip(wanted, opening, strict=True))
    return tuple(
        cell._replace(line=first[cell.number] + 2) if cell.number in first and _fits(cell, raw, lines, first) else cell
        for cell in cells
    )


def _fits(cell: Cell, raw: list[Any], lines: list[str], first: dict[int, int]) -> bool:
    """Does the file show the first and the last line of the cell's source where they are expected?"""
    if cell.number is None:
        return False
    source = raw[cell.number]["source"]
    start = first[cell.number] + 1
    return all(
        start + n < len(lines)
        and lines[start + n].strip().rstrip(",").startswith('"')
        and _decoded(lines[start + n]) == source[n]
        for n in (0, len(source) - 1)
    )


def _decoded(line: str) -> str | None:
    try:
        value = json.loads(line.strip().rstrip(","))
    except ValueError:
        return None
    return value if isinstance(value, str) else None
