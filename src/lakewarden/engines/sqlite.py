"""SQLite, for a few thousand facts: the query of a rule runs in less time than DuckDB needs to plan it.

It answers what the checker lets pass, word for word as DuckDB does; a test holds both against all examples.
"""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import lakewarden.facts.model  # noqa: F401  (defines the tables)
from lakewarden.engines.answer import Answer, BrokenQueryError
from lakewarden.engines.shape import TABLE, cheap_part, looked_up
from lakewarden.facts.fact import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from lakewarden.facts.placeholders import Row

#: The first version that knows FILTER.
OLDEST = (3, 30, 0)

_AFFINITY = {"VARCHAR": "TEXT", "BIGINT": "INTEGER", "BOOLEAN": "INTEGER"}
_HEAD = re.compile(r"\s*SELECT\s+(\w+)\.\*\s*,\s*")
_TEXT_OR_COLUMN = re.compile(r"('(?:[^']|'')*')|\b([A-Za-z_]\w*)\.(\w+)\b|\bAS\s+(\w+)")
_EQUAL = re.compile(r'\b(\w+)\."(\w+)" = ')
_PASSED_ON = re.compile(r',\s*(\w+)\."(\w+)"(?: AS "(\w+)")?\s*(?=,|\bFROM\b)')
_GROUP = re.compile(r"\bGROUP\s+BY\s+ALL\b")
_AGGREGATE = re.compile(r"\b(any|all)_of\(")
_INTEGER_BITS = 63
#: Tables with fewer rows are read faster than an index of them is made.
_INDEXED_FROM = 30
#: TRUE is 2, not known is 1, FALSE is 0: the greatest is what `any_of` says, the least what `all_of` says; of no rows it is
#: NULL.
_THREE_VALUED = {
    "any": ("(CASE max(ifnull(2 * (", "), 1)) WHEN 2 THEN 1 WHEN 1 THEN NULL ELSE 0 END)"),
    "all": ("(CASE min(ifnull(2 * (", "), 1)) WHEN 0 THEN 0 WHEN 1 THEN NULL ELSE 1 END)"),
}


class SqliteEngine:
    """One database in memory. A table is filled when a query first reads it; what is told are the rows as they came. Of
    its columns only those are filled that are among `columns`, which holds for each table what the queries to come read.
    """

    def __init__(
        self,
        tables: Mapping[str, Sequence[Row]],
        policy: Mapping[str, str | bool | int | None],
        columns: Mapping[str, AbstractSet[str]] | None = None,
    ) -> None:
        self._columns = columns
        self.size: dict[str, int] = {name: len(rows) for name, rows in tables.items()}
        self._tables = tables
        self._inside: frozenset[int] | None = None
        self._projects: frozenset[str] | None = None
        self._there: set[str] = {"policy"}
        self._indexed: set[tuple[str, str]] = set()
        self._keyed: dict[str, bool] = {"policy": True}
        self._numbers: dict[str, int] = {}
        self._gaps: dict[str, frozenset[int]] = {}
        self._connection = sqlite3.connect(":memory:", isolation_level=None)
        self._connection.create_function("lower", 1, _lower, deterministic=True)
        self._connection.create_function("upper", 1, _upper, deterministic=True)
        self._connection.execute(f"CREATE TABLE policy ({', '.join(map(_quoted, policy))})")
        self._connection.execute(f"INSERT INTO policy VALUES ({_marks(len(policy))})", list(policy.values()))

    def count_only(self, origins: Sequence[int], projects: frozenset[str] | None = None) -> None:
        """Count only rows from these places, and those from nowhere; of them, those of these projects."""
        self._inside, self._projects = frozenset(origins), projects
        self._numbers.clear()

    def ask(self, subject: str, query: str, conditions: Sequence[str]) -> Answer:
        """Run the query of a rule once and count its verdicts.

        Raises:
            BrokenQueryError: the query cannot be run.
        """
        text = translated(query)
        try:
            self._make_ready(text)
            each_once = self._each_once(query)
            cursor = self._connection.execute(_about_those(query) if each_once else text)
            names = [column[0] for column in cursor.description][1:]
            answers = cursor.fetchall()
            places = (names.index("applies"), [names.index(condition) for condition in conditions])
        except (sqlite3.Error, ValueError) as problem:
            raise BrokenQueryError(str(problem)) from None
        booleans = {"applies", *conditions} | _booleans_passed_on(text)
        numbers = [n for n, name in enumerate(names, 1) if name in booleans]
        counts, told = self._counted(subject, names, answers, places, numbers)
        rows, whole = len(answers), True
        if each_once:
            rows = self.size[subject]
            counts[_BESIDE] += self._number(subject) - sum(counts)
        else:
            whole = rows == self.size[subject] == len({answer[0] for answer in answers})
        return Answer(rows, whole, (counts[0], counts[1], counts[2], counts[3]), told)

    def _each_once(self, query: str) -> bool:
        """Does a query return each row of its subject once, since all that it puts beside one is looked up by its key?"""
        tables = looked_up(query)
        return tables is not None and all(map(self._has_keys, tables))

    def _has_keys(self, table: str) -> bool:
        """Does no key stand twice in a table, on one plane?"""
        if table not in self._keyed:
            try:
                self._connection.execute(f'CREATE UNIQUE INDEX "{table} by key" ON {table} ("key", "plane")')
                self._keyed[table] = True
            except sqlite3.IntegrityError:
                self._keyed[table] = False
        return self._keyed[table]

    def _number(self, subject: str) -> int:
        """How many rows of a subject are counted."""
        if self._inside is None and self._projects is None:
            return self.size[subject]
        if subject not in self._numbers:
            self._numbers[subject] = sum(map(self._is_counted, self._tables[subject]))
        return self._numbers[subject]

    def _is_counted(self, row: Row) -> bool:
        inside, projects = self._inside, self._projects
        return (inside is None or row["origin"] is None or row["origin"] in inside) and (
            projects is None or row["project"] in projects
        )

    def _counted(
        self, subject: str, names: list[str], answers: list[tuple[Any, ...]], places: tuple[int, list[int]], booleans: list[int]
    ) -> tuple[list[int], list[dict[str, Any]]]:
        """How many of the answers have each verdict, and all that are no pass."""
        rows = self._tables[subject]
        blank: Row = dict.fromkeys(TABLES[subject].columns)
        decides = itemgetter(places[0] + 1, *(place + 1 for place in places[1]))
        counts = [0, 0, 0, 0]
        told: list[dict[str, Any]] = []
        everywhere = self._inside is None and self._projects is None
        looked_at = self._loud(subject, answers, decides, counts) if everywhere else answers
        for answer in looked_at:
            row = rows[answer[0] - 1]
            said = decides(answer)
            verdict = _verdict(said[0], said[1:])
            if row["gap"] is not None and verdict != _BESIDE:
                verdict = _UNKNOWN
            if self._is_counted(row):
                counts[verdict] += 1
            if verdict in (_FAIL, _UNKNOWN):
                values = list(answer)
                for place in booleans:
                    values[place] = None if values[place] is None else bool(values[place])
                said_of_it = {"verdict": "fail" if verdict == _FAIL else "unknown"}
                told.append({**blank, **row, **dict(zip(names, values[1:], strict=True)), **said_of_it})
        return counts, told

    def _loud(
        self, subject: str, answers: list[tuple[Any, ...]], decides: Callable[[Any], tuple[Any, ...]], counts: list[int]
    ) -> list[tuple[Any, ...]]:
        """The answers to look at one by one; those that pass, mostly all, are counted here."""
        unseen = self._unseen(subject)
        said = [decides(answer) for answer in answers]
        quiet = {one: _verdict(one[0], one[1:]) for one in set(said)}
        quiet = {one: verdict for one, verdict in quiet.items() if verdict in (_PASS, _BESIDE)}
        loud = [(one, answer) for one, answer in zip(said, answers, strict=True) if one not in quiet or answer[0] in unseen]
        tally = Counter(said)
        tally.subtract(one for one, _ in loud)
        for one, verdict in quiet.items():
            counts[verdict] += tally[one]
        return [answer for _, answer in loud]

    def _unseen(self, subject: str) -> frozenset[int]:
        """The numbers of the rows that stand for what was not seen."""
        if subject not in self._gaps:
            rows = enumerate(self._tables[subject], 1)
            self._gaps[subject] = frozenset(number for number, row in rows if row["gap"] is not None)
        return self._gaps[subject]

    def _make_ready(self, text: str) -> None:
        """Fill the tables that a query reads, and index what it looks up."""
        compared = set(_EQUAL.findall(text))
        for table, alias in TABLE.findall(text):
            if table not in self._there and table in TABLES:
                self._fill(table)
            if self.size.get(table, 0) >= _INDEXED_FROM:
                for column in ("key", *TABLES[table].parents):
                    if (alias, column) in compared and (table, column) not in self._indexed:
                        self._indexed.add((table, column))
                        if column != "key" or not self._has_keys(table):
                            self._connection.execute(f'CREATE INDEX "{table}.{column}" ON {table} ({_quoted(column)})')

    def _fill(self, name: str) -> None:
        read = TABLES[name].columns if self._columns is None else {"key", "plane", *self._columns.get(name, ())}
        columns = [column for column in TABLES[name].columns.values() if column.name in read]
        declared = ", ".join(
            f"{_quoted(column.name)} {_AFFINITY[column.sql_type]}{'' if column.nullable else ' NOT NULL'}" for column in columns
        )
        self._connection.execute(f"CREATE TABLE {name} ({declared})")
        self._there.add(name)
        names = [column.name for column in columns]
        values = itemgetter(*names)
        rows = self._tables.get(name, ())
        insert = f"INSERT INTO {name} VALUES ({_marks(len(names))})"

        def stored(row: Row) -> tuple[Any, ...]:
            try:
                found: tuple[Any, ...] = values(row)
            except KeyError:
                return tuple(map(row.get, names))
            return found

        try:
            self._insert(insert, map(stored, rows))
        except (UnicodeEncodeError, OverflowError):
            self._connection.execute(f"DELETE FROM {name}")
            self._insert(insert, (tuple(map(_storable, stored(row))) for row in rows))

    def _insert(self, insert: str, rows: Iterable[Sequence[Any]]) -> None:
        self._connection.execute("BEGIN")
        try:
            self._connection.executemany(insert, rows)
        finally:
            self._connection.execute("COMMIT")


def _about_those(query: str) -> str:
    """The query of the objects that a rule is about: most are beside, and what it says of them is not worked out."""
    cheap = cheap_part(query)
    text = translated(query if cheap is None else f"{query} WHERE ({cheap}) IS NOT FALSE")
    return f"SELECT * FROM ({text}) WHERE applies IS NOT FALSE"


def translated(query: str) -> str:
    """The query in the words of SQLite; it returns the number of each row of the subject in place of its columns.

    Raises:
        BrokenQueryError: it does not begin as the query of a rule does.
    """
    head = _HEAD.match(query)
    if head is None:
        raise BrokenQueryError("it does not start with SELECT s.*")
    alias = head[1]
    # Columns may be called as a word of SQL is.
    text = _TEXT_OR_COLUMN.sub(_as_written, query[head.end() :])
    text = _GROUP.sub(f"GROUP BY {alias}.rowid", text)
    return f"SELECT {alias}.rowid, {_three_valued(text)}"


def _as_written(found: re.Match[str]) -> str:
    if found[1]:
        return found[1]
    return f'AS "{found[4]}"' if found[4] else f'{found[2]}."{found[3]}"'


def _three_valued(text: str) -> str:
    """With `any_of` and `all_of` written out."""
    while (found := _AGGREGATE.search(text)) is not None:
        end = _closing(text, found.end())
        before, after = _THREE_VALUED[found[1]]
        text = f"{text[: found.start()]}{before}{text[found.end() : end]}{after}{text[end + 1 :]}"
    return text


def _closing(text: str, start: int) -> int:
    """Where the parenthesis is closed that is open at `start`."""
    depth, in_text = 1, False
    for place in range(start, len(text)):
        sign = text[place]
        if sign == "'":
            in_text = not in_text
        elif not in_text and sign in "()":
            depth += 1 if sign == "(" else -1
            if depth == 0:
                return place
    raise BrokenQueryError("a parenthesis is not closed")


_PASS, _FAIL, _UNKNOWN, _BESIDE = range(4)


def _verdict(applies: int | None, conditions: tuple[int | None, ...]) -> int:
    """The verdict in three-valued logic."""
    if applies == 0:
        return _BESIDE
    if 0 in conditions:
        return _FAIL if applies else _UNKNOWN
    return _UNKNOWN if None in conditions else _PASS


def _booleans_passed_on(text: str) -> set[str]:
    """The outputs that are a column of booleans as it stands, which SQLite keeps as numbers."""
    tables = {alias: TABLES[table].columns for table, alias in TABLE.findall(text) if table in TABLES}
    return {
        name or column
        for alias, column, name in _PASSED_ON.findall(text)
        if alias in tables and column in tables[alias] and tables[alias][column].sql_type == "BOOLEAN"
    }


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()


def _upper(text: str | None) -> str | None:
    return None if text is None else text.upper()


def _quoted(name: str) -> str:
    return f'"{name}"'


def _marks(number: int) -> str:
    return ", ".join("?" * number)


def _storable(value: Any) -> Any:
    """A value that has no place in a database, in other words that are equal where it is equal."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    return float(value) if isinstance(value, int) and value.bit_length() > _INTEGER_BITS else value
