"""CI systems that are not read, but for one thing: the credentials that they keep for a pipeline, which a file names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.ci.credentials import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINE = re.compile(r"(?<![:\w'\"/])//[^\n]*")
_OF_YAML = re.compile(r"(?:^|(?<=\s))#[^\n]*", re.MULTILINE)
#: Jenkins hands a secret over by `X = credentials('id')`, or by a binding that names `credentialsId` and `variable`.
_ASSIGNED = re.compile(r"\b([A-Za-z_]\w*)\s*=\s*credentials\s*\(\s*['\"]([^'\"]+)['\"]")
_BOUND = re.compile(r"\b(?:string|usernamePassword|file|azureServicePrincipal|\$class)\s*[(:][^()]{0,400}\)")
_OF_BINDING = re.compile(r"\b(?:variable|passwordVariable|clientSecretVariable)\s*:\s*['\"](\w+)['\"]")
_ID = re.compile(r"\bcredentialsId\s*:\s*['\"]([^'\"]+)['\"]")
#: Elsewhere a secret is a variable that a script reads, or one that the file asks to be filled in.
_READ = re.compile(r"\$\$?\{?([A-Z_][A-Z0-9_]*)\b")
_FILLED = re.compile(
    r"^[ \t]*(?:-[ \t]*)?([A-Z_][A-Z0-9_]*)[ \t]*:[ \t]*[\"']?\$|secretEnv[ \t]*:[ \t]*\[[^\]]{0,300}?['\"]([A-Z_][A-Z0-9_]*)",
    re.MULTILINE,
)


_LARGEST, _MOST = 200_000, 50


class Kept(NamedTuple):
    """A credential that a CI system keeps: the variable that holds it, a kind of `ci_credentials`, and the line."""

    name: str
    kind: str
    line: int


def kept(text: str, system: str) -> Iterator[Kept]:
    """The credentials that the file of a system names, each once. What it makes itself is not kept."""
    plain = _plain(text[:_LARGEST], system)
    seen: set[str] = set()
    for name, kept_as, at in sorted(_named(plain, system), key=lambda one: one[2]):
        kind = kind_of(name) or kind_of(kept_as)
        if kind is None or kind == "profile" or name in seen or len(seen) >= _MOST:
            continue
        made = re.search(rf"\b{re.escape(name)}\s*=\s*[\"']?(?:\$\(|`|sh\s*\()", plain)
        seen.add(name)
        if made is None:
            yield Kept(name, kind, plain.count("\n", 0, at) + 1)


def _plain(text: str, system: str) -> str:
    """The text with blanks in place of comments."""
    if system not in ("Jenkins", "TeamCity"):
        return _OF_YAML.sub(lambda found: " " * len(found[0]), text)
    parts, at = [], 0
    while (begin := text.find("/*", at)) >= 0 and (end := text.find("*/", begin + 2)) >= 0:
        parts += [text[at:begin], re.sub(r"[^\n]", " ", text[begin : end + 2])]
        at = end + 2
    return _LINE.sub(lambda found: " " * len(found[0]), "".join(parts) + text[at:])


def _named(text: str, system: str) -> Iterator[tuple[str, str, int]]:
    """The variables that hold what the system keeps, the name that it is kept under, and where."""
    if system != "Jenkins":
        yield from ((found[1] or found[2] or "", "", found.start()) for found in _FILLED.finditer(text))
        yield from ((found[1], "", found.start()) for found in _READ.finditer(text))
        return
    yield from ((found[1], found[2], found.start(1)) for found in _ASSIGNED.finditer(text))
    for binding in _BOUND.finditer(text):
        variable, name = _OF_BINDING.search(binding[0]), _ID.search(binding[0])
        if variable is not None:
            yield variable[1], name[1] if name is not None else "", binding.start() + variable.start()
