"""What a rule is: metadata, a docstring and one SQL query over facts. A rule file imports this module and nothing else.

The query names every row of its subject once, with two nullable booleans, `applies` and `ok` (or, instead of `ok`, one
boolean for each key of `message`). The judge turns them into verdicts in three-valued logic.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from lakewarden.errors import RuleError


class Severity(str, Enum):
    """How bad a violation is; a run fails at or above `--fail-on`."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Confidence(str, Enum):
    """How sure a finding is: decidable from the evidence, resting on names and data flow, or a matter of context."""

    HIGH = "high"
    MEDIUM = "medium"
    ADVISORY = "advisory"


class Profile(str, Enum):
    """The smallest profile that asks the rule: `core` is wrong in almost any organisation."""

    CORE = "core"
    RECOMMENDED = "recommended"
    STRICT = "strict"


class Status(str, Enum):
    """The life of a rule: a preview rule is off unless it is selected by name."""

    STABLE = "stable"
    PREVIEW = "preview"


class Message(NamedTuple):
    """A message template; `{column}` is filled from the row. It may lower or raise what the rule says."""

    text: str
    severity: Severity | None = None
    confidence: Confidence | None = None


Messages = str | Message | Mapping[str, str | Message]


class Query(NamedTuple):
    """One question about one kind of object.

    `subject` is the fact table whose rows are judged. `needs_both` marks a comparison of what is declared with what is
    deployed: it is not asked by a command that reads only one of them.
    """

    subject: str
    query: str
    message: Messages
    needs_both: bool = False

    @property
    def conditions(self) -> dict[str, Message]:
        """Each condition column with its message, in the order of the file; `ok` for a rule with one message."""
        if isinstance(self.message, str):
            return {"ok": Message(self.message)}
        if isinstance(self.message, Message):
            return {"ok": self.message}
        return {k: Message(m) if isinstance(m, str) else m for k, m in self.message.items()}


class Rule:
    """A rule of the catalogue. `code` and `name` are stable for ever and never reused.

    Give either `subject`, `query` and `message`, or `queries` where the rule is about several kinds of object.
    `revision` goes up whenever a verdict may change for the same facts. `fixable` names the conditions for which there is a
    safe fix, `lint --fix`.
    """

    __slots__ = ("code", "confidence", "fixable", "name", "profile", "queries", "revision", "severity", "status")

    def __init__(
        self,
        *,
        code: str,
        name: str,
        severity: Severity,
        confidence: Confidence,
        profile: Profile,
        subject: str | None = None,
        query: str | None = None,
        message: Messages | None = None,
        queries: tuple[Query, ...] = (),
        needs_both: bool = False,
        status: Status = Status.STABLE,
        revision: int = 1,
        fixable: tuple[str, ...] = (),
    ) -> None:
        if (subject is None) == (not queries):
            raise TypeError(f"rule {code}: give either subject, query and message, or queries")
        if subject is not None:
            if query is None or message is None:
                raise TypeError(f"rule {code}: subject, query and message go together")
            queries = (Query(subject, query, message, needs_both),)
        self.code = code
        self.name = name
        self.severity = severity
        self.confidence = confidence
        self.profile = profile
        self.queries = queries
        self.status = status
        self.revision = revision
        self.fixable = fixable

    def __repr__(self) -> str:
        return f"<Rule {self.code} {self.name}>"


@dataclass(frozen=True)
class RuleDoc:
    """The documentation of a rule, from its docstring: the title states the compliant state; sections are Markdown."""

    title: str
    why: str
    fix: str
    exceptions: str
    references: tuple[str, ...]


_SECTIONS = ("Why", "Fix", "Exceptions", "References")


def parse_doc(text: str, code: str) -> RuleDoc:
    """Split a docstring into its title and its sections."""
    title, _, body = text.strip().partition("\n")
    parts = re.split(rf"^\s*({'|'.join(_SECTIONS)}):[ \t]*\n?", body, flags=re.MULTILINE)
    sections = {name: _dedent(content) for name, content in zip(parts[1::2], parts[2::2], strict=True)}
    missing = [name for name in _SECTIONS if not sections.get(name)]
    if missing or not title:
        raise RuleError(f"rule {code}: its docstring has no {', '.join(missing) or 'title'}")
    references = tuple(line.strip().lstrip("-* ") for line in sections["References"].splitlines() if line.strip())
    return RuleDoc(title.rstrip("."), sections["Why"], sections["Fix"], sections["Exceptions"], references)


def _dedent(text: str) -> str:
    """Without the four spaces by which a section is set in; code in it keeps its own."""
    return "\n".join(line.removeprefix("    ").rstrip() for line in text.splitlines()).strip("\n")


ERROR, WARNING, NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE
HIGH, MEDIUM, ADVISORY = Confidence.HIGH, Confidence.MEDIUM, Confidence.ADVISORY
CORE, RECOMMENDED, STRICT = Profile.CORE, Profile.RECOMMENDED, Profile.STRICT
PREVIEW = Status.PREVIEW
