"""The base of the fact model: a class for each table, an annotation with a doc comment for each column.

Fact classes are built without code generation, because the whole model is imported in every run: `Fact.__init__` takes
keywords, and type checkers see a dataclass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

if TYPE_CHECKING:
    from typing_extensions import dataclass_transform

    from lakewarden.facts.origin import Origin
else:

    def dataclass_transform(**_: object) -> Any:
        """Stand in for the decorator that only type checkers need."""
        return lambda cls: cls


class Column(NamedTuple):
    """One column: its SQL type, whether it may be NULL (not known), and the table that its values are keys of."""

    name: str
    sql_type: str
    nullable: bool
    references: str | None


_SQL_TYPES = {"str": "VARCHAR", "bool": "BOOLEAN", "int": "BIGINT"}

#: Columns that the store adds on loading: the place of a row in the policy, its origin and its gap as numbers.
ENVIRONMENT_COLUMNS = (Column("environment", "VARCHAR", True, None), Column("stage", "VARCHAR", True, None))
ROW_COLUMNS = (Column("origin", "BIGINT", True, None), Column("gap", "BIGINT", True, None))

#: Every fact table by name, in the order of definition.
TABLES: dict[str, type[Fact]] = {}


@dataclass_transform(kw_only_default=True, eq_default=False)
class _Row:
    """What makes type checkers see the fields of `Fact` and of its subclasses as keywords."""


class Fact(_Row):
    """One row of one fact table.

    Class keywords: `table` is its name; `parents` maps each column by which the table is read as a list to the table
    that the column's values are keys of; `references` maps further columns to the tables that they point to;
    `place` names the column that says in which environment the row stands (`target`, `workspace`, `catalog`);
    `listed_by` names, for objects of a live plane, the tables for each of whose rows they are listed, with the columns that
    such an object shares with that row; `compared` says that one key means the same object on every plane;
    `observed` says that of a live estate it tells what happened, so that it is told on that plane, of objects that are deployed;
    `derived` maps a column that the store fills under the policy to (function of `lakewarden.facts.derive`, source column).
    """

    table: ClassVar[str] = ""
    parents: ClassVar[dict[str, str]] = {}
    place_column: ClassVar[str | None] = None
    derived: ClassVar[dict[str, tuple[str, str]]] = {}
    listed_by: ClassVar[dict[str, dict[str, str]]] = {}
    compared: ClassVar[bool] = False
    observed: ClassVar[bool] = False
    columns: ClassVar[dict[str, Column]] = {}
    _names: ClassVar[frozenset[str]] = frozenset()

    key: str
    """Identifies the object in its plane: declared keys start with the project, live keys with metastore or workspace."""
    plane: str = "declared"
    """`declared` in a repository, `deployed` in a workspace, `observed` in runs."""
    project: str | None = None
    """The project it belongs to, NULL when the policy claims it for none."""
    origin: Origin | None = None
    """Where it was read; opaque to rules."""

    def __init_subclass__(
        cls,
        *,
        table: str,
        parents: dict[str, str] | None = None,
        references: dict[str, str] | None = None,
        place: str | None = None,
        derived: dict[str, tuple[str, str]] | None = None,
        listed_by: dict[str, dict[str, str]] | None = None,
        compared: bool = False,
        observed: bool = False,
    ) -> None:
        cls.table, cls.parents, cls.place_column, cls.derived = table, parents or {}, place, derived or {}
        cls.listed_by, cls.compared, cls.observed = listed_by or {}, compared, observed
        points = {**cls.parents, **(references or {})}
        columns = [Column("key", "VARCHAR", False, None), Column("plane", "VARCHAR", False, None)]
        columns.append(Column("project", "VARCHAR", True, None))
        for name, annotation in cls.__annotations__.items():
            kind, _, null = str(annotation).partition(" | ")
            columns.append(Column(name, _SQL_TYPES[kind], null == "None", points.get(name)))
        columns.extend(Column(name, _DERIVED_TYPES.get(how, "VARCHAR"), True, None) for name, (how, _) in cls.derived.items())
        if place is not None:
            columns.extend(ENVIRONMENT_COLUMNS)
        cls.columns = {c.name: c for c in (*columns, *ROW_COLUMNS)}
        cls._names = frozenset(cls.columns)
        TABLES[table] = cls

    def __init__(self, **values: Any) -> None:
        if not self._names.issuperset(values):
            raise TypeError(f"{type(self).__name__} has no column {sorted(values.keys() - self._names)}")
        self.__dict__ = values

    @classmethod
    def made(cls, values: dict[str, Any]) -> Fact:
        """The row of values that were taken from a row of this table."""
        fact = cls.__new__(cls)
        fact.__dict__ = values
        return fact


_DERIVED_TYPES = {"is_champion": "BOOLEAN", "without_stage": "BOOLEAN"}
