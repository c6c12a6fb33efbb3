"""The statements of one file in the order in which they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.sources.repository.code.result import Granted, Owned, Unread

if TYPE_CHECKING:
    from lakewarden.sources.repository.code.result import Span, SqlName, SqlStatement
    from lakewarden.sources.repository.code.state import State


def in_order(state: State) -> tuple[SqlStatement, ...]:
    """What the SQL of a file declares, by place: cells of Python and of SQL are read apart."""
    return tuple(sorted(dict.fromkeys(state.statements), key=lambda statement: place_in_file(statement.span)))


def place_in_file(span: Span) -> tuple[int, int]:
    """What sorts by place: cell and line."""
    return (-1 if span.cell is None else span.cell, span.line or 0)


def names_in(statement: SqlStatement) -> tuple[SqlName, ...]:
    """The names that a statement holds."""
    if isinstance(statement, Granted):
        return (*statement.privileges, *statement.principals, *(() if statement.name is None else (statement.name,)))
    if isinstance(statement, Unread):
        return ()
    return (statement.name, statement.owner) if isinstance(statement, Owned) else (statement.name,)
