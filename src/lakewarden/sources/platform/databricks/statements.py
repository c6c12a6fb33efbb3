"""Statements on a SQL warehouse (SDK, `StatementExecutionAPI`): they read system tables and change nothing."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any, TypeAlias

from lakewarden.errors import SourceError
from lakewarden.sources.platform.wire.errors import Failed, Refused, Truncated
from lakewarden.sources.platform.wire.redact import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lakewarden.sources.platform.wire.api import Api

FAMILY = "sql"
STATEMENTS = "/api/2.0/sql/statements"
#: A row by the names of its columns; cells are text (SDK, format `JSON_ARRAY`).
Row: TypeAlias = "dict[str, str | None]"

#: The host waits so long before it answers with an id alone; a read of the wire takes longer.
_WAIT = 10
#: A warehouse that is stopped takes minutes to start; so long it may, and then so long a statement may run.
START_SECONDS, RUN_SECONDS = 600, 600
_PAUSES = (1.0, 2.0, 3.0, 5.0)
_GOING_ON = frozenset({"PENDING", "RUNNING"})
_NO_RIGHT = re.compile(
    r"INSUFFICIENT_PERMISSIONS|PERMISSION_DENIED|UNAUTHORIZED|does not have|lacks? .{0,30}privilege", re.IGNORECASE
)
_NOT_THERE = re.compile(r"(?:TABLE_OR_VIEW|SCHEMA|CATALOG)_NOT_FOUND|_DOES_NOT_EXIST|cannot be found", re.IGNORECASE)
#: An inline result of more than 25 MiB is not told at all (SDK, `disposition`).
_TOO_LARGE = re.compile(r"byte limit exceeded|larger than 25 ?MiB|26214400", re.IGNORECASE)
_READS = re.compile(r"\s*(?:SELECT|WITH)\b[^;]*", re.IGNORECASE)


class TooLarge(Truncated):
    """A result of more than a statement may bring: a narrower one may be told."""


class Warehouse:
    """One SQL warehouse. The first statement waits for its start; what keeps it from starting is asked once. Thread-safe.

    `say` is told what a person waits for.
    """

    def __init__(self, api: Api, number: str, say: Callable[[str], None] = lambda _what: None) -> None:
        self.number = number
        self._api = api
        self._say = say
        self._right = f"CAN USE on the SQL warehouse {number}"
        self._lock = threading.Lock()
        self._awake = False
        self._trouble: SourceError | None = None

    def rows(self, statement: str, parameters: Mapping[str, str] | None = None, *, remedy: str = "") -> list[Row]:
        """All rows of a query with named parameters (`:name`); `remedy` is what gives the right to read its tables.

        Raises a SourceError where they are not all there.
        """
        if not _READS.fullmatch(statement):
            raise ValueError(statement)  # our own statements only: a bug
        self.start()
        return self._run(statement, parameters or {}, RUN_SECONDS, remedy)

    def start(self) -> None:
        """Wait until the warehouse runs. Raises the SourceError that keeps it from it, the same one each time."""
        with self._lock:
            if self._trouble is None and not self._awake:
                self._say(f"the SQL warehouse {self.number}, which may take minutes to start,")
                try:
                    self._run("SELECT 1 AS one", {}, START_SECONDS, "")
                except SourceError as problem:
                    self._trouble = problem
                self._awake = True
            if self._trouble is not None:
                raise self._trouble

    def _run(self, statement: str, parameters: Mapping[str, str], seconds: int, remedy: str) -> list[Row]:
        body = {
            "warehouse_id": self.number,
            "statement": statement,
            "parameters": [{"name": name, "value": value} for name, value in parameters.items()],
            "wait_timeout": f"{_WAIT}s",
            "on_wait_timeout": "CONTINUE",
            "disposition": "INLINE",
            "format": "JSON_ARRAY",
        }
        said = self._api.post(STATEMENTS, body, family=FAMILY, right=self._right)
        number = said.get("statement_id")
        waited, tries, ended = float(_WAIT), 0, False
        try:
            while _state(said) in _GOING_ON and isinstance(number, str):
                if waited >= seconds:
                    reason = f"the SQL warehouse {self.number} did not answer a statement within {seconds // 60} minutes"
                    raise Failed(reason, "start the warehouse before, or give a larger one with --warehouse")
                pause = _PAUSES[min(tries, len(_PAUSES) - 1)]
                self._api.pause(pause)
                waited, tries = waited + pause, tries + 1
                said = self._api.get(f"{STATEMENTS}/{number}", family=FAMILY, right=self._right)
            ended = True
        finally:
            if not ended:  # an interrupt too: it would run on
                self._cancel(str(number))
        if _state(said) != "SUCCEEDED":
            raise self._problem(said, remedy)
        return self._result(said)

    def _cancel(self, number: str) -> None:
        try:
            self._api.post(f"{STATEMENTS}/{number}/cancel", {}, family=FAMILY, right=self._right)
        except SourceError:
            return  # it ends by itself, or the host ends it

    def _problem(self, said: dict[str, Any], remedy: str) -> SourceError:
        """What a statement that did not succeed means: the host answers 200 all the same."""
        state = _state(said)
        error = (said.get("status") or {}).get("error") or {}
        lines = redact(str(error.get("message") or "")).splitlines()
        told = f": {lines[0]}" if lines else ""
        whole = f"{error.get('error_code') or ''} {error.get('message') or ''}"
        if _TOO_LARGE.search(whole):
            return TooLarge(f"a result of the SQL warehouse {self.number} is larger than 25 MiB", "narrow what is collected")
        if state == "FAILED" and _NO_RIGHT.search(whole):
            return Refused(f"a statement on the SQL warehouse {self.number} was refused{told}", remedy or f"grant {self._right}")
        if state == "FAILED" and _NOT_THERE.search(whole):
            reason = f"a table that a statement on the SQL warehouse {self.number} reads is not there, or not enabled{told}"
            return Refused(reason, remedy)
        if state in ("CANCELED", "CLOSED"):
            return Truncated(f"a statement on the SQL warehouse {self.number} was ended before its result was read", "run again")
        reason = f"a statement on the SQL warehouse {self.number} ended as {state or 'nothing that is known'}{told}"
        return Failed(reason, "run again later; report it if it stays so")

    def _result(self, said: dict[str, Any]) -> list[Row]:
        """The rows of all chunks. Raises `Truncated` where some are missing."""
        manifest = said.get("manifest")
        columns = _columns(manifest)
        if not isinstance(manifest, dict) or not columns:
            raise Failed(
                f"a result of the SQL warehouse {self.number} came without its columns", "run again; report it if it stays so"
            )
        if manifest.get("truncated"):
            raise TooLarge(f"a result of the SQL warehouse {self.number} was cut", "narrow what is collected")
        rows: list[Row] = []
        part, at = said.get("result") or {}, 0
        while True:
            for cells in part.get("data_array") or ():
                if not isinstance(cells, list) or len(cells) != len(columns):
                    raise Failed(f"a row of the SQL warehouse {self.number} has not the columns of its result", "run again")
                rows.append(dict(zip(columns, cells, strict=True)))
            following = part.get("next_chunk_index")
            if following is None:
                break
            if not isinstance(following, int) or following <= at:
                raise Truncated(f"the SQL warehouse {self.number} repeats a part of a result", "run again")
            at = following
            path = f"{STATEMENTS}/{said.get('statement_id')}/result/chunks/{at}"
            part = self._api.get(path, family=FAMILY, right=self._right)
        # A count of nothing may be left out.
        if manifest.get("total_row_count", 0) != len(rows):
            total = manifest.get("total_row_count", 0)
            raise Truncated(f"{len(rows)} of {total} rows of a result of the SQL warehouse {self.number} came", "run again")
        return rows


def _state(said: dict[str, Any]) -> str:
    status = said.get("status")
    return str(status.get("state") or "") if isinstance(status, dict) else ""


def _columns(manifest: object) -> list[str]:
    schema = manifest.get("schema") if isinstance(manifest, dict) else None
    columns = schema.get("columns") if isinstance(schema, dict) else None
    return [str(column.get("name")) for column in columns or () if isinstance(column, dict)]
