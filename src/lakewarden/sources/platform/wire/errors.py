"""What an answer of a host that is no answer means for an audit: always a gap, never an empty list."""

# ruff: noqa: N818 (each name says what happened; all are a SourceError)

from __future__ import annotations

from typing import ClassVar

from lakewarden.errors import SourceError
from lakewarden.facts.gaps import Cause


class WireError(SourceError):
    """A request that brought no usable answer.

    `status` is the HTTP status, `code` the error code of the API, `said` the start of the host's own message, without secrets.
    """

    gap: ClassVar[Cause] = Cause.FAILED

    def __init__(self, reason: str, remedy: str = "", *, status: int | None = None, code: str = "", said: str = "") -> None:
        super().__init__(self.gap.value, reason, remedy)
        self.status = status
        self.code = code
        self.said = said


class Refused(WireError):
    """The host knows the question and does not answer it to this identity."""

    gap = Cause.REFUSED


class Missing(WireError):
    """The object is not there, or not for this identity: hosts say 404 for both."""


class Disabled(WireError):
    """The host does not have the feature; what that means is the collector's to say."""


class Unreachable(WireError):
    """No answer came: name, connection, TLS, proxy, silence."""

    gap = Cause.UNREACHABLE


class Truncated(WireError):
    """A list or an answer that did not reach its end."""

    gap = Cause.TRUNCATED


class Failed(WireError):
    """An answer that says nothing usable: a server error that stays, HTML, an unexpected shape."""
