"""Gaps: what could not be seen, and why. They become placeholder rows; they explain verdicts and never decide one."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lakewarden.facts.origin import Origin


class Cause(str, Enum):
    """The class of a gap."""

    UNRESOLVED = "unresolved"  # a variable, widget or template without a value
    NOT_ASKED = "not-asked"  # a question that this command does not ask
    UNCLAIMED = "unclaimed"  # no environment of the policy claims it, or two do
    REFUSED = "refused"
    TRUNCATED = "truncated"
    UNREACHABLE = "unreachable"
    EXPIRED = "expired"
    FAILED = "failed"  # an unreadable or unparsable file, a crashed rule
    TOO_WEAK = "too-weak"  # evidence below the policy's minimum


#: Gaps of these classes end a run with exit code 3 in every profile; `unclaimed` only where a policy file exists.
INCOMPLETE = frozenset({Cause.REFUSED, Cause.TRUNCATED, Cause.UNREACHABLE, Cause.FAILED})

#: The table of a gap that is about none: the query of a rule of one's own did not end.
NO_TABLE = "own_rules"


class Gap(NamedTuple):
    """One thing not seen: rows of `facts` under `parent` (a key), else of `project`, else of the whole plane.

    A gap about one value of a row that was seen (`value=True`) explains a NULL and makes no placeholder. One that somebody
    has agreed to (`accepted=True`) makes no run incomplete.
    """

    cause: Cause
    facts: str
    reason: str
    remedy: str = ""
    plane: str = "declared"
    project: str | None = None
    parent: str | None = None
    origin: Origin | None = None
    value: bool = False
    accepted: bool = False

    @property
    def scope(self) -> str:
        """What the gap is about, for people: an object, a file, a project or everything."""
        if self.origin is not None and self.origin.path is not None:
            return self.origin.path
        return self.parent or self.project or "everything"
