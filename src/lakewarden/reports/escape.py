"""Makes text from a repository harmless before it is printed: control characters, commands of CI logs, secrets."""

from __future__ import annotations

import re
from functools import cache

#: C0, DEL, C1, marks and overrides of direction, line separators, the byte order mark, halves of surrogates, tag characters.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e007f]")
_LATIN, _PLANE = 0xFF, 0xFFFF
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def escape(text: str) -> str:
    r"""Make control characters visible, so that text is one line that moves no cursor: ESC becomes `\x1b`, a newline `\n`."""
    return text if text.isprintable() else _CONTROL.sub(_visible, text)


def _visible(match: re.Match[str]) -> str:
    character = match.group()
    if character in _NAMED:
        return _NAMED[character]
    code = ord(character)
    if code <= _LATIN:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= _PLANE else f"\\U{code:08x}"


def clean(text: str) -> str:
    """What every report does with every text of a repository: `escape`, and no secret."""
    return escape(_token().sub("***", text) if _may_hold_token(text) else text)


def clean_lines(text: str) -> str:
    """`clean` for documents of several lines."""
    return "\n".join(map(clean, text.split("\n")))


def clean_source(line: str) -> str:
    """`clean` for a line of source, with tabs as spaces; what is assigned to a password is hidden as well."""
    return clean(_assigned().sub(_hidden, line.expandtabs(4)))


def log_line(line: str) -> str:
    """Keep a printed line from being a command of a CI system: `::error::` of GitHub, `##vso[…]` of Azure."""
    if line.lstrip().startswith("::"):
        line = line.replace("::", ":\\x3a", 1)
    return line.replace("##[", "#\\x23[").replace("##vso[", "#\\x23vso[") if "##" in line else line


_SIGNS = ("dapi", "dose", "dkea", "AKIA", "ASIA", "gh", "eyJ", "PRIVATE KEY", "hf_", "://", "AccountKey", "sig=")


def _may_hold_token(text: str) -> bool:
    return any(sign in text for sign in _SIGNS)


@cache
def _token() -> re.Pattern[str]:
    """Shapes of secrets that are nothing else."""
    return re.compile(
        r"\b(?:dapi|dose|dkea)[0-9a-f]{32}(?:-\d+)?"
        r"|\bA(?:KI|SI)A[0-9A-Z]{16}\b"
        r"|\bgh[pousr]_[A-Za-z0-9]{36,}|\bgithub_pat_\w{40,}|\bhf_[A-Za-z0-9]{30,}"
        r"|\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*"
        r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*"
        r"|(?<=AccountKey=)[A-Za-z0-9+/=]{20,}|(?<=[?&]sig=)[\w%+/=-]{20,}"
        r"|(?<=://)[^\s/@:]+:[^\s/@]+(?=@)"
    )


@cache
def _assigned() -> re.Pattern[str]:
    """A literal that is given to something called password, secret, token or key."""
    return re.compile(
        r"""((?:password|passwd|secret|token|api_?key|access_?key|account_?key)["']?\s*[:=]\s*)(["']?)(?![$"'{\[])([^\s"'#,]{6,})""",
        re.IGNORECASE,
    )


def _hidden(match: re.Match[str]) -> str:
    # A name, a call or a look-up is no secret: `token=get_token()`, `token: var.token`.
    value = match.group(3)
    if not match.group(2) and (any(c in value for c in "()[]{}.") or value.isidentifier()):
        return match.group()
    return f"{match.group(1)}{match.group(2)}{'*' * len(value)}"
