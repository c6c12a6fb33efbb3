"""Methods of texts whose result is known."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lakewarden.sources.repository.code.values import HOLE, UNKNOWN, Value, as_text, concat, text

if TYPE_CHECKING:
    from lakewarden.sources.repository.code.site import Site

_MAX_LEVELS = 20
_FIELD = re.compile(r"\{\{|\}\}|\{([\w.\[\]]*)(?:![rsa])?(?::[^{}]*)?\}")


def method(base: Value, name: str, site: Site) -> Value:
    """The result of a method of a text."""
    if name == "format":
        return _format(base, site)
    if name == "join" and len(site.args) == 1 and site.args[0].type == "list":
        return _join(base, site.args[0].data)
    if name in ("strip", "rstrip", "lstrip") and base.text is not None:
        chars = site.given("chars", 0).known
        return base._replace(text=getattr(base.text, name)(chars))
    if name in ("lower", "upper") and base.text is not None:
        return base._replace(text=getattr(base.text, name)())
    if name == "replace" and base.known is not None:
        old, new = site.given("old", 0).known, site.given("new", 1).known
        return text(base.known.replace(old, new)) if old and new is not None else _mixed(base)
    if name == "removeprefix" and base.known is not None:
        prefix = site.given("prefix", 0).known
        return text(base.known.removeprefix(prefix)) if prefix is not None else _mixed(base)
    return _mixed(base)


def _mixed(base: Value) -> Value:
    """Something made of the text: what the text stems from."""
    return Value(source=base.holes[0].source, name=base.holes[0].name) if len(base.holes) == 1 else UNKNOWN


def _format(base: Value, site: Site) -> Value:
    template = base.known
    if template is None or site.spread or site.keywords_spread:
        return UNKNOWN
    parts: list[Value] = []
    position = at = 0
    for match in _FIELD.finditer(template):
        parts.append(text(template[at : match.start()]))
        at = match.end()
        if match[0] in ("{{", "}}"):
            parts.append(text(match[0][0]))
            continue
        field = match[1]
        if not field or field.isdigit():
            number = int(field) if field else position
            position += 1
            parts.append(site.args[number] if number < len(site.args) else UNKNOWN)
        else:
            parts.append(site.keywords.get(field, Value(name=field)))
    parts.append(text(template[at:]))
    return concat(parts)


def _join(base: Value, items: tuple[Value, ...]) -> Value:
    parts: list[Value] = []
    for number, item in enumerate(items):
        if number:
            parts.append(base)
        parts.append(item)
    return concat(parts) if parts else text("")


def parent(path: Value, levels: int = 1) -> Value:
    """The folder that a path stands in, `levels` times over; what is relative stays so."""
    found = path.text or ""
    for _ in range(min(levels, _MAX_LEVELS)):
        head, _, last = found.rstrip("/").rpartition("/")
        if last in ("", "."):
            found = f"{head}/.." if head else ".."
        elif last == "..":
            found = f"{found.rstrip('/')}/.."
        elif HOLE in last:
            return UNKNOWN
        else:
            found = head or ("/" if found.startswith("/") else ".")
    return path._replace(text=found, holes=path.holes[: found.count(HOLE)]) if path.text is not None else UNKNOWN


def path_join(items: tuple[Value, ...]) -> Value:
    """`os.path.join`: texts with one slash between them; the last absolute one starts anew."""
    result: Value | None = None
    for item in items:
        part = as_text(item)
        piece = part.text or ""
        if result is None or piece.startswith("/"):
            result = part
        else:
            slash = "" if (result.text or "").endswith("/") else "/"
            result = concat([result, text(slash), part])
    return result if result is not None else UNKNOWN
