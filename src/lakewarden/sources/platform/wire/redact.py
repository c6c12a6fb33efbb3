"""Takes tokens and secrets out of any text that somebody may read."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

REMOVED = "[removed]"
LONGEST = 200
_READ = 4_000
_SHORTEST_SECRET = 4

#: What names of headers, parameters and JSON keys have in common whose values are secrets.
_NAME = (
    r"(?:(?:token|secret|passw(?:or)?d|passphrase|pwd|credential|authorization|assertion|signature|cookie|session"
    r"|api[_-]?key|access[_-]?key|private[_-]?key|account[_-]?key)[\w.-]{0,40}|\b(?:sas|sig)\b)"
)
_SECRET_NAME = re.compile(_NAME, re.IGNORECASE)
_SCHEME = r"(?:bearer|basic|digest|negotiate|token)"
#: https://user:password@host
_LOGIN = (re.compile(r"(\b[a-z][a-z0-9+.-]{0,15}://)[^\s/@\"'<>]*@", re.IGNORECASE), rf"\1{REMOVED}@")
_TOKENS: tuple[tuple[re.Pattern[str], str], ...] = (
    # personal access tokens of Databricks, GitHub, GitLab, Slack; keys of AWS; JSON web tokens
    (re.compile(r"\b(?:dapi|dkea|dose|dsapi)[0-9a-f]{16,}(?:-\d+)?", re.IGNORECASE), REMOVED),
    (re.compile(r"\b(?:gh[pousr]_|github_pat_|glpat-|gldt-|glcbt-|xox[a-z]-|sk-)[\w-]{8,}"), REMOVED),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}"), REMOVED),
    (re.compile(r"\beyJ[\w-]{8,}(?:\.[\w-]*){0,4}"), REMOVED),
    (re.compile(r"-----BEGIN [^-]*PRIVATE KEY-----.*", re.DOTALL), REMOVED),
)
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    _LOGIN,
    # "token": "…", client_secret=…, Authorization: Bearer …
    (
        re.compile(
            rf"(?P<name>{_NAME})(?P<sep>\\?[\"']?\s*[:=]\s*)(?P<value>"
            rf"\\?\"(?:[^\"\\]|\\.)*\"?|'[^']*'?|(?:{_SCHEME}\s+)?[^\s&,;\"'<>}}\]]+)",
            re.IGNORECASE,
        ),
        rf"\g<name>\g<sep>{REMOVED}",
    ),
    (re.compile(rf"\b({_SCHEME})\s+(?=\S*[\d._~+/=-])[\w.~+/=:-]{{6,}}", re.IGNORECASE), rf"\1 {REMOVED}"),
    *_TOKENS,
)
#: Long runs of hexadecimal, or of small and capital letters with digits: ids look so too.
_OPAQUE: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b[0-9a-f]{32,}\b", re.IGNORECASE), REMOVED),
    (re.compile(r"(?<![\w+/=-])(?=[\w+/=-]*\d)(?=[\w+/=-]*[a-z])(?=[\w+/=-]*[A-Z])[\w+/=-]{40,}"), REMOVED),
)


def is_secret(name: str) -> bool:
    """Does a header, parameter or key of this name hold a secret?"""
    return _SECRET_NAME.search(name) is not None


def secrets_in(values: Mapping[str, Any] | None) -> Iterator[str]:
    """The secrets among headers, parameters or a JSON body, by their names; a header's without its scheme too."""
    for name, value in (values or {}).items():
        if isinstance(value, dict):
            yield from secrets_in(value)
        elif is_secret(name):
            yield from _texts(value)


def _texts(value: Any) -> Iterator[str]:
    for each in value if isinstance(value, (list, tuple)) else (value,):
        text = str(each)
        yield text
        _, blank, rest = text.partition(" ")
        if blank:
            yield rest


def redact(text: str, known: Iterable[str] = (), *, opaque: bool = True, longest: int = LONGEST) -> str:
    """The text in one line of at most 200 characters, without the secrets that are known and without what looks like one.

    `opaque=False` keeps long runs of letters and digits: for what is written here, where they are ids.
    """
    cut = text[:_READ]
    if len(text) > _READ:
        cut = re.sub(r"\S*$", "", cut)  # a secret cut in two would not be known again
    forms = {form for secret in known if secret for form in _forms(secret)}
    for form in sorted(forms, key=len, reverse=True):
        if form in cut and len(form) < _SHORTEST_SECRET:
            return REMOVED
        cut = cut.replace(form, REMOVED)
    for pattern, replacement in (*_PATTERNS, *(_OPAQUE if opaque else ())):
        cut = pattern.sub(replacement, cut)
    line = " ".join("".join(c if c.isprintable() else " " for c in cut).split())
    # a secret that was broken over lines is whole again in one line
    for form in forms:
        line = line.replace(form, REMOVED)
    return line if len(line) <= longest else line[: longest - 1] + "…"


def hide(text: str, known: Iterable[str]) -> str:
    """The text as it is, but for the secrets that are known, logins in URLs, and tokens that are known by their look."""
    forms = {form for secret in known for form in _forms(secret)}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, REMOVED)
    for pattern, replacement in (_LOGIN, *_TOKENS):
        text = pattern.sub(replacement, text)
    return text


def _forms(secret: str) -> Iterator[str]:
    """How a host may write a secret back."""
    yield secret
    yield " ".join(secret.split())
    yield quote(secret, safe="")
    yield quote(secret)
    yield quote_plus(secret)
    yield json.dumps(secret)[1:-1]
    yield repr(secret)[1:-1]
    raw = secret.encode("utf-8", "surrogatepass")
    yield b64encode(raw).decode("ascii")
