"""Many rows in little memory: kept by columns, in compressed pieces, and made again whenever somebody reads them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import MutableSequence
from itertools import chain, compress
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, overload

from lakewarden.facts.fact import TABLES, Fact

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

_T = TypeVar("_T")

#: From this many rows on a table is packed.
MANY = 50_000
#: Rows of one piece: more of them are packed better, and take more memory while they are read.
PIECE = 20_000


class Piece(NamedTuple):
    """Some rows by columns: how many, what all of them have alike, the other columns, compressed, and the first and the last text
    of those that were looked for in order.
    """

    size: int
    alike: dict[str, Any]
    packed: dict[str, bytes]
    ends: dict[str, tuple[str, str]]

    def column(self, name: str) -> list[Any]:
        """One column; None where a row has no value."""
        if name in self.packed:
            import pickle
            import zlib

            found: list[Any] = pickle.loads(zlib.decompress(self.packed[name]))  # noqa: S301  (packed by this process)
            return found
        return [self.alike.get(name)] * self.size

    def with_columns(self, columns: Mapping[str, list[Any]]) -> Piece:
        """The same rows with other columns, or others in place of some."""
        alike = {name: value for name, value in self.alike.items() if name not in columns}
        packed = {name: value for name, value in self.packed.items() if name not in columns}
        return _added(Piece(self.size, alike, packed, {}), columns)

    def may_hold(self, name: str, found: Sequence[str]) -> bool:
        """May a column hold one of these texts, which are in order?"""
        if name not in self.ends:
            texts = [value for value in self.column(name) if value is not None]
            self.ends[name] = (min(texts, default=""), max(texts, default=""))
        first, last = self.ends[name]
        at = bisect_left(found, first)
        return at < len(found) and found[at] <= last

    def columns(self, *names: str) -> Iterator[tuple[Any, ...]]:
        """Some columns, row by row."""
        return zip(*(self.column(name) for name in names), strict=True)

    def distinct(self, *names: str) -> Iterable[tuple[Any, ...]]:
        """What stands in some columns, each once."""
        if self.packed.keys().isdisjoint(names):
            return (tuple(self.alike.get(name) for name in names),)
        return dict.fromkeys(self.columns(*names))

    def one_of_each(self, by: tuple[str, ...], *names: str) -> Iterator[dict[str, Any]]:
        """Some columns of the first row with each value of others."""
        found = [self.column(name) for name in names]
        numbers = dict(zip(reversed(list(self.columns(*by))), range(self.size - 1, -1, -1), strict=True))
        for number in sorted(numbers.values()):
            yield {name: column[number] for name, column in zip(names, found, strict=True)}

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows as they were, without what is None."""
        columns = {name: self.column(name) for name in self.packed}
        sparse = [name for name, found in columns.items() if None in found]
        for values in zip(*columns.values(), strict=True) if columns else ((),) * self.size:
            row = {**self.alike, **dict(zip(columns, values, strict=True))}
            for name in sparse:
                if row[name] is None:
                    del row[name]
            yield row


def piece_of(rows: list[dict[str, Any]]) -> Piece:
    """Pack rows."""
    names = sorted(set().union(*rows))
    return _added(Piece(len(rows), {}, {}, {}), {name: [row.get(name) for row in rows] for name in names})


def _added(piece: Piece, columns: Mapping[str, list[Any]]) -> Piece:
    import pickle
    import zlib

    for name, found in columns.items():
        if found.count(found[0]) < len(found):
            same: dict[Any, Any] = {}  # equal values become one, which is written once
            shared = [same.setdefault(value, value) for value in found]
            piece.packed[name] = zlib.compress(pickle.dumps(shared, pickle.HIGHEST_PROTOCOL), 1)
        elif found[0] is not None:
            piece.alike[name] = found[0]
    return piece


class Packed(MutableSequence[_T]):
    """A list for very many rows. What is read from it is made for the reader: to change a row is to put another in its place.

    `values` tells the columns of a row, `make` makes a row of them.
    """

    def __init__(self, values: Callable[[_T], dict[str, Any]], make: Callable[[dict[str, Any]], _T]) -> None:
        self._values, self.make = values, make
        self._pieces: list[Piece] = []
        self._begins: list[int] = []
        self._rest: list[_T] = []
        self._read: tuple[Piece | None, list[_T]] = (None, [])

    def append(self, value: _T) -> None:
        """Add a row."""
        self._rest.append(value)
        if len(self._rest) == PIECE:
            self._pack()

    def _pack(self) -> None:
        rest, self._rest = self._rest, []
        if rest:
            self._add(piece_of([self._values(row) for row in rest]))

    def _add(self, piece: Piece) -> None:
        self._begins.append(len(self))
        self._pieces.append(piece)

    def add(self, piece: Piece) -> None:
        """Add the rows of a piece."""
        self._pack()
        self._add(piece)

    def copy(self) -> Packed[_T]:
        """Another list of the same rows."""
        other = Packed(self._values, self.make)
        other._pieces, other._begins, other._rest = list(self._pieces), list(self._begins), list(self._rest)
        return other

    def pieces(self) -> Iterator[Piece]:
        """All rows, by columns."""
        yield from tuple(self._pieces)
        if self._rest:
            yield piece_of([self._values(row) for row in self._rest])

    def blocks(self) -> Iterator[list[_T]]:
        """All rows, those of a piece at once."""
        for piece in self.pieces():
            yield list(map(self.make, piece.rows()))

    def within(self, name: str, wanted: Collection[str]) -> Iterator[tuple[Piece, Iterator[bool]]]:
        """The pieces that may have rows whose column holds one of some texts, and which rows of it do. Others, by their first and
        last text in the order of texts, are passed over: tables are mostly written in that order.
        """
        among, found = frozenset(wanted), sorted(wanted)
        for piece in self.pieces():
            if piece.may_hold(name, found):
                yield piece, (value in among for value in piece.column(name))

    def __len__(self) -> int:
        return (self._begins[-1] + self._pieces[-1].size if self._pieces else 0) + len(self._rest)

    def __iter__(self) -> Iterator[_T]:
        made = (map(self.make, piece.rows()) for piece in tuple(self._pieces))
        return chain(chain.from_iterable(made), self._rest)

    @overload
    def __getitem__(self, index: int) -> _T: ...
    @overload
    def __getitem__(self, index: slice) -> MutableSequence[_T]: ...
    def __getitem__(self, index: int | slice) -> _T | MutableSequence[_T]:
        if isinstance(index, slice):
            return list(self)[index]
        place = range(len(self))[index]
        number = bisect_right(self._begins, place) - 1
        if number < 0 or place >= self._begins[number] + self._pieces[number].size:
            return self._rest[place - len(self)]
        if self._read[0] is not self._pieces[number]:
            self._read = (self._pieces[number], list(map(self.make, self._pieces[number].rows())))
        return self._read[1][place - self._begins[number]]

    def __setitem__(self, index: Any, value: Any) -> None:
        self._unpack()[index] = value

    def __delitem__(self, index: int | slice) -> None:
        del self._unpack()[index]

    def insert(self, index: int, value: _T) -> None:
        """Put a row before another."""
        self._unpack().insert(index, value)

    def _unpack(self) -> list[_T]:
        """Whoever changes rows needs them as they are; a reader at work reads on as before."""
        self._rest, self._pieces, self._begins = list(self), [], []
        return self._rest


def packed(name: str, rows: Iterable[Fact] = ()) -> Packed[Fact]:
    """Facts of one table."""
    found = Packed[Fact](_values_of, TABLES[name].made)
    found.extend(rows)
    return found


def packed_rows(name: str) -> Packed[dict[str, Any]]:
    """Rows of one table that are prepared for an engine: all columns are there."""
    blank = dict.fromkeys(TABLES[name].columns)
    return Packed[dict[str, Any]](lambda row: row, lambda values: {**blank, **values})


def roomy(rows: MutableSequence[Fact], name: str) -> MutableSequence[Fact]:
    """The rows of a table, packed if they are many."""
    return packed(name, rows) if isinstance(rows, list) and len(rows) >= MANY else rows


def grown(rows: MutableSequence[Fact], name: str, more: Iterable[Fact]) -> MutableSequence[Fact]:
    """The rows of a table, with more of them: packed once they are many."""
    for row in more:
        rows = roomy(rows, name)
        rows.append(row)
    return rows


def grown_by_columns(rows: MutableSequence[Fact], name: str, more: Mapping[str, list[Any]]) -> MutableSequence[Fact]:
    """The same, of rows that are told by columns, all as long."""
    size = len(next(iter(more.values())))
    if isinstance(rows, list) and len(rows) + size >= MANY:
        rows = packed(name, rows)
    if isinstance(rows, Packed):
        for begin in range(0, size, PIECE):
            some = {column: found[begin : begin + PIECE] for column, found in more.items()}
            rows.add(_added(Piece(min(PIECE, size - begin), {}, {}, {}), some))
    else:
        rows.extend(TABLES[name].made(dict(zip(more, values, strict=True))) for values in zip(*more.values(), strict=True))
    return rows


def columns(rows: Iterable[Fact], *names: str) -> Iterator[tuple[Any, ...]]:
    """These columns, two at least, of each fact; None where it has no value."""
    if isinstance(rows, Packed):
        return chain.from_iterable(piece.columns(*names) for piece in rows.pieces())
    return map(attrgetter(*names), rows)


def distinct(rows: Iterable[Fact], *names: str) -> Iterator[tuple[Any, ...]]:
    """What stands in these columns, in the order in which it is told; with repetitions."""
    if isinstance(rows, Packed):
        return chain.from_iterable(piece.distinct(*names) for piece in rows.pieces())
    return map(attrgetter(*names), rows)


def narrow(rows: Iterable[dict[str, Any]], *names: str) -> Iterable[dict[str, Any]]:
    """The rows, with these columns at least."""
    if isinstance(rows, Packed):
        return (dict(zip(names, values, strict=True)) for piece in rows.pieces() for values in piece.columns(*names))
    return rows


def one_of_each(rows: Iterable[dict[str, Any]], by: tuple[str, ...], *names: str) -> Iterable[dict[str, Any]]:
    """The first row with each value of some columns, at least, with these columns at least."""
    if isinstance(rows, Packed):
        return (row for piece in rows.pieces() for row in piece.one_of_each(by, *names))
    return rows


def within(rows: Iterable[Fact], name: str, wanted: Collection[str]) -> Iterator[Fact]:
    """The facts whose column holds one of some texts."""
    if isinstance(rows, Packed):
        for piece, these in rows.within(name, wanted):
            yield from map(rows.make, compress(piece.rows(), these))
    else:
        yield from (row for row in rows if row.__dict__.get(name) in wanted)


def columns_within(rows: Iterable[Fact], name: str, wanted: Collection[str], *names: str) -> Iterator[tuple[Any, ...]]:
    """Some columns, two at least, of the facts whose column holds one of some texts."""
    if isinstance(rows, Packed):
        for piece, these in rows.within(name, wanted):
            yield from compress(piece.columns(*names), these)
    else:
        yield from map(attrgetter(*names), within(rows, name, wanted))


def blocks(rows: Sequence[Fact]) -> Iterator[Sequence[Fact]]:
    """The facts, not too many at once."""
    if isinstance(rows, Packed):
        yield from rows.blocks()
    else:
        yield rows


def _values_of(fact: Fact) -> dict[str, Any]:
    values = fact.__dict__
    return values if "plane" in values else {"plane": fact.plane, **values}
