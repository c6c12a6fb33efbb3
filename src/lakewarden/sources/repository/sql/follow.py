"""Follows the statements of one file in order: which catalog and schema are current, what a REVOKE takes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.code.result import Granted, Lookup, Made, Owned, SqlName, Unread, Used
from lakewarden.sources.repository.code.values import HOLE
from lakewarden.sources.repository.sql.names import Full, full_name, parts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lakewarden.sources.repository.code.result import Span, SqlStatement

#: The schema that is current once a catalog was chosen.
_DEFAULT = "default"
_ALL = "ALL_PRIVILEGES"


class Privilege(NamedTuple):
    """One privilege of one principal on one securable; what is not known is None. `at` is the number of the statement."""

    at: int
    kind: str
    name: Full
    principal: str | None
    privilege: str | None
    span: Span


class Owner(NamedTuple):
    """The owner that a securable is given."""

    at: int
    kind: str
    name: Full
    owner: str | None
    span: Span


class Thing(NamedTuple):
    """Something that is created, given a key or looked up, by its full name."""

    at: int
    kind: str
    name: Full
    statement: Made | Lookup


class Followed(NamedTuple):
    """What the statements of one file come to."""

    privileges: list[Privilege]
    owners: list[Owner]
    things: list[Thing]
    unread: list[Unread]


def follow(statements: Iterable[SqlStatement | Lookup], resolve: Callable[[SqlName], SqlName]) -> Followed:
    """Read the statements in order. `resolve` fills the holes of a name as far as other files tell them."""
    found = Followed([], [], [], [])
    current: tuple[str | None, str | None] = (None, None)
    for at, statement in enumerate(statements):
        if isinstance(statement, Used):
            current = _used(statement, resolve(statement.name), current)
        elif isinstance(statement, Unread):
            found.unread.append(statement)
        elif isinstance(statement, Granted):
            _granted(found, at, statement, resolve, current)
        elif isinstance(statement, Owned):
            name = full_name(resolve(statement.name), statement.kind, *current)
            found.owners.append(Owner(at, statement.kind, name, _known(resolve(statement.owner)), statement.span))
        elif isinstance(statement, Lookup):
            found.things.append(Thing(at, "table", full_name(resolve(_looked_up(statement)), "table", *current), statement))
        else:
            name = full_name(resolve(statement.name), statement.kind, *current)
            found.things.append(Thing(at, statement.kind, name, statement))
    return found


def _looked_up(lookup: Lookup) -> SqlName:
    if lookup.late is not None:
        return SqlName(lookup.late.text or HOLE, lookup.late.holes)
    return SqlName(lookup.table or HOLE)


def _known(name: SqlName) -> str | None:
    return None if HOLE in name.text or not name.text else name.text


def _privilege(name: str | None) -> str | None:
    """A privilege as facts write it, also where it came from elsewhere."""
    return None if name is None else "_".join(name.upper().split())


def _used(statement: Used, name: SqlName, current: tuple[str | None, str | None]) -> tuple[str | None, str | None]:
    """The current catalog and schema after a USE; not known after one that may not run, or runs another notebook."""
    parts = parts_of(name.text)
    if not statement.sure or not parts:
        return (None, None)
    if statement.kind == "catalog":
        return (None, None) if len(parts) > 1 else (parts[0], _DEFAULT)
    if len(parts) > 1:
        return (parts[-2], parts[-1])
    # A hole may stand for a catalog and a schema.
    return (None, None) if not parts[0].strip(HOLE) else (current[0], parts[0])


def _granted(
    found: Followed,
    at: int,
    statement: Granted,
    resolve: Callable[[SqlName], SqlName],
    current: tuple[str | None, str | None],
) -> None:
    name = Full(("metastore",), "metastore")
    if statement.name is not None:
        name = full_name(resolve(statement.name), statement.kind, *current)
    privileges = [_privilege(_known(resolve(privilege))) for privilege in statement.privileges]
    principals = [_known(resolve(principal)) for principal in statement.principals]
    if statement.verb == "revoke":
        for number in range(len(found.privileges) - 1, -1, -1):
            _revoke(found.privileges, number, statement.kind, name, principals, privileges)
    elif statement.verb == "grant":
        found.privileges.extend(
            Privilege(at, statement.kind, name, principal, privilege, statement.span)
            for principal in principals
            for privilege in privileges
        )


def _revoke(
    granted: list[Privilege], at: int, kind: str, name: Full, principals: list[str | None], privileges: list[str | None]
) -> None:
    """Take one privilege back where a REVOKE names it; where it may, the privilege is not known any more."""
    one = granted[at]
    if one.kind != kind:
        return
    answers = (
        _equal(name.known, one.name.known, may=compatible(name.same, one.name.same)),
        _in(one.principal, principals),
        True if _ALL in privileges else _in(one.privilege, privileges),
    )
    if all(answers):
        del granted[at]
    elif all(answer is not False for answer in answers):
        granted[at] = one._replace(privilege=None)


def _equal(one: str | None, other: str | None, *, may: bool) -> bool | None:
    if one is None or other is None:
        return None if may else False
    return one == other


def _in(one: str | None, those: list[str | None]) -> bool | None:
    if one is not None and one in those:
        return True
    return None if one is None or None in those else False


def compatible(one: str, other: str) -> bool:
    """May two names, with `?` for what is not known, be the same?"""
    mine, theirs = one.split("."), other.split(".")
    return len(mine) == len(theirs) and all(_alike(a, b) for a, b in zip(mine, theirs, strict=True))


def _alike(one: str, other: str) -> bool:
    if "?" not in one and "?" not in other:
        return one == other
    before, _, rest = one.partition("?")
    after = rest.rpartition("?")[2] if "?" in one else one
    before_other, _, rest_other = other.partition("?")
    after_other = rest_other.rpartition("?")[2] if "?" in other else other
    starts = before.startswith(before_other) or before_other.startswith(before)
    return starts and (after.endswith(after_other) or after_other.endswith(after))
