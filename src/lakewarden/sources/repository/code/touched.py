"""Keeps a read or a write of data, by the path or the name that the code gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.sources.repository.code import literals
from lakewarden.sources.repository.code.formats import format_of
from lakewarden.sources.repository.code.places import data_address, table_address
from lakewarden.sources.repository.code.result import Access, Known, Span
from lakewarden.sources.repository.code.site import ABSENT
from lakewarden.sources.repository.code.values import HOLE, NONE, Value, is_late, storable, text

if TYPE_CHECKING:
    import ast

    from lakewarden.sources.repository.code.state import State

_NO_DATA = ("http://", "https://", "memory:")
#: A format that is not named.
_ABSENT = Known(fixed="None")


def of_path(
    state: State,
    node: ast.AST | Span,
    access: str,
    path: Value,
    form: Value,
    *,
    spark: bool = True,
    doubted: bool = False,
    of_table: bool = False,
) -> None:
    """Keep an access by path. One that is doubted counts only where its path turns out to lead off the driver; the path of a
    table is told from all others, since it leads to no volume.
    """
    if state.silent:
        return
    template = path.text
    if template is not None and template.startswith(_NO_DATA):
        return
    if template is not None and "/Volumes/" in template:
        literals.note_volume(state, node, path, is_write=access != "read")
    found = Access(
        access,
        None,
        None,
        None,
        False,
        state.span(node),
        how="place" if of_table else "path" if spark else "file",
        doubted=doubted,
    )
    keep(state, _at_path(found, path, form), path, form)


def _at_path(found: Access, path: Value, form: Value) -> Access:
    """The access, with what is known of its path."""
    unclear: list[str] = []
    template = path.text
    address = data_address(template, spark=found.how != "file") if template is not None else None
    if address is None and found.how == "place" and template != "":
        address = "path"
    if address is None:
        unclear.append("its path")
    form_name = _format(form, unclear)
    return found._replace(address=address, name=path.shown, format=form_name, same=template or "", unclear=tuple(unclear))


def keep(state: State, found: Access, name: Value, form: Value) -> None:
    """Keep an access, with what other files may tell of its name and format."""
    if is_late(name) or is_late(form):
        found = found._replace(late=storable(name), late_format=storable(form) or _ABSENT)
    state.access(found._replace(function=state.scope.name))


def of_table(state: State, node: ast.AST | Span, access: str, name: Value, form: Value, *, feature: bool | None = None) -> None:
    """Keep an access by name. A name that is not known is still a name."""
    if state.silent:
        return
    by_path = _path_in(name)
    if by_path is not None:
        of_path(state, node, access, *by_path)
        return
    literals.note_table(state, node, name, is_write=access != "read")
    keep(state, _of_name(Access(access, None, None, None, feature, state.span(node)), name, form), name, form)


def _path_in(name: Value) -> tuple[Value, Value] | None:
    """The path and the format of a name such as ``delta.`/path` ``."""
    first, _, rest = (name.text or "").partition(".")
    if rest.startswith("`") and first.lower() in ("delta", "parquet", "csv", "json"):
        return name._replace(text=rest.strip("`")), text(first.lower())
    return None


def _of_name(found: Access, name: Value, form: Value) -> Access:
    """The access, with what is known of the name of its table."""
    template = name.text or ""
    unclear = ["the name of its table"] if name.shown is None else []
    shown = None if name.shown is None else name.shown.replace("`", "")
    same = template.replace("`", "").lower() if template.strip(HOLE) else "|".join(hole.name for hole in name.holes) or name.name
    form_name = _format(form, unclear)
    address = table_address(template)
    return found._replace(address=address, name=shown, format=form_name, same=same, unclear=tuple(unclear))


def again(found: Access, name: Value, form: Value) -> Access | None:
    """The access, now that more is known of its name; None where it turns out to be none."""
    if name.text is not None and name.text.startswith(_NO_DATA):
        return None
    if found.how == "place" and name is NONE:
        return None
    by_path = _path_in(name) if found.how == "table" else None
    if by_path is not None:
        return _at_path(found._replace(how="path"), *by_path)
    seen = (_of_name if found.how == "table" else _at_path)(found, name, form)
    return None if found.doubted and seen.address in (None, "local") else seen


def told_name(found: Access) -> str | None:
    """What people are told of the name, or of a path of which no more is known than where it leads."""
    if found.name is None and found.how != "table" and found.address is not None:
        return "a path that only the run knows"
    return found.name


def _format(form: Value, unclear: list[str]) -> str | None:
    """The format's name; `default` where none is given."""
    if form is NONE or form is ABSENT or (form.type == "const" and form.data is None):
        return "default"
    if form.known is None:
        unclear.append("its format")
        return None
    return format_of(form.known)


def used(state: State, node: ast.AST | Span, catalog: Value) -> None:
    """Keep that the session's catalog is chosen."""
    if not state.silent:
        keep(state, Access("use", None, catalog.known, None, False, state.span(node)), catalog, NONE)
