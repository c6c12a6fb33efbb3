"""What an engine is asked for, and what it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Answer(NamedTuple):
    """What a query says: how many rows, whether they are the subject's rows, each once, how many that are asked about have
    each verdict, and all rows that are no pass.

    `counts` is (pass, fail, unknown, not applicable); each row is a dict with `verdict`, `fail` or `unknown`.
    """

    rows: int
    whole: bool
    counts: tuple[int, int, int, int]
    told: list[dict[str, Any]]


class BrokenQueryError(Exception):
    """The query of a rule cannot be run; the text says why, in one line."""


class Engine(Protocol):
    """Holds facts and answers the queries of rules. `size` is the number of rows of each table that it holds."""

    @property
    def size(self) -> Mapping[str, int]:
        """How many rows each table has."""

    def ask(self, subject: str, query: str, conditions: Sequence[str]) -> Answer:
        """Run the query of a rule once and count its verdicts.

        Raises:
            BrokenQueryError: the query cannot be run.
        """
