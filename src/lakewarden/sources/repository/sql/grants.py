"""The small grammar of access control: GRANT, REVOKE, DENY, ALTER … OWNER TO."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.code.result import Granted, Owned, Span, SqlName
from lakewarden.sources.repository.code.values import HOLE
from lakewarden.sources.repository.sql.names import is_placeholder, read_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lakewarden.sources.repository.sql.tokens import Text, Token

#: The words that name a kind of securable, longest first, with the kind as facts tell it.
_KINDS = {
    ("EXTERNAL", "LOCATION"): "external_location",
    ("EXTERNAL", "METADATA"): "other",
    ("STORAGE", "CREDENTIAL"): "storage_credential",
    ("SERVICE", "CREDENTIAL"): "storage_credential",
    ("MATERIALIZED", "VIEW"): "table",
    ("STREAMING", "TABLE"): "table",
    ("CLEAN", "ROOM"): "other",
    ("CREDENTIAL",): "storage_credential",
    ("CATALOG",): "catalog",
    ("SCHEMA",): "schema",
    ("DATABASE",): "schema",
    ("TABLE",): "table",
    ("VIEW",): "table",
    ("VOLUME",): "volume",
    ("FUNCTION",): "function",
    ("PROCEDURE",): "function",
    ("MODEL",): "model",
    ("METASTORE",): "metastore",
    ("CONNECTION",): "connection",
    ("SHARE",): "share",
    ("RECIPIENT",): "recipient",
    ("PROVIDER",): "provider",
    ("POLICY",): "other",
}
#: What other systems, or the old access control of one workspace, grant on.
_ELSEWHERE = frozenset({
    "ALL", "ANY", "ANONYMOUS", "WAREHOUSE", "ROLE", "USER", "SEQUENCE", "DOMAIN", "TYPE", "LANGUAGE", "INTEGRATION", "STAGE", "FUTURE",
    "ACCOUNT", "TABLESPACE", "OBJECT", "PIPE", "TASK", "TAG", "LOGIN", "SERVER", "ASSEMBLY", "DATASET", "PUBLICATION",
})  # fmt: skip
_NOT_PRINCIPALS = frozenset({"RECIPIENT", "ROLE", "USER", "GROUP", "PUBLIC", "SHARE"})
#: The older names of two privileges, by the kind of securable.
_OLD = {("USAGE", "catalog"): "USE_CATALOG", ("USAGE", "schema"): "USE_SCHEMA", ("ALL", ""): "ALL_PRIVILEGES"}
_LAST_WORDS = frozenset({"WITH", "GRANTED", "CASCADE", "RESTRICT"})


class Foreign(Exception):  # noqa: N818 - no error: a statement that is none of ours
    """The statement speaks of something that Unity Catalog does not have, or is not meant to be run."""


class _Reader(NamedTuple):
    """A statement that is being read."""

    text: Text
    tokens: Sequence[Token]
    words: Sequence[str]

    def word(self, at: int) -> str:
        return self.words[at] if at < len(self.words) else ""

    def mark(self, at: int) -> str:
        return self.tokens[at].text if at < len(self.tokens) else ""


def read_grant(text: Text, tokens: Sequence[Token], span: Span) -> Granted | None:
    """A GRANT, REVOKE or DENY; None where it does not parse.

    Raises:
        Foreign: it is none of Unity Catalog's.
    """
    reader = _Reader(text, tokens, [token.upper for token in tokens])
    privileges, at = _privileges(reader, 1)
    if not privileges or reader.word(at) != "ON":
        if "ON" not in reader.words:
            raise Foreign  # the grant of a role
        return None
    kind, at = kind_at(reader.words, at + 1)
    if reader.word(at) in _ELSEWHERE and reader.word(at + 1) not in ("TO", "FROM"):
        raise Foreign
    name: SqlName | None = None
    if kind != "metastore" or reader.word(at) not in ("TO", "FROM"):
        if reader.mark(at) == "<":
            raise Foreign
        name, at = read_name(text, tokens, at)
        if name is None or is_placeholder(name.text):
            raise Foreign if name is not None else _wrong(reader)
    verb = reader.words[0].lower()
    if reader.word(at) != ("FROM" if verb == "revoke" else "TO"):
        return None
    principals, at = _principals(reader, at + 1)
    if not principals or (at < len(tokens) and reader.word(at) not in _LAST_WORDS):
        return None
    return Granted(verb, _told(privileges, kind), kind, name, principals, span)


def _wrong(reader: _Reader) -> Exception:
    return Foreign("".join(token.text for token in reader.tokens[:3]))


def kind_at(words: Sequence[str], at: int) -> tuple[str, int]:
    """The kind of securable that the words at a place name, and where its name begins; a table where they name none."""
    for size in (2, 1):
        found = _KINDS.get(tuple(words[at : at + size]))
        if found is not None and at + size < len(words) and words[at + size] not in ("TO", "FROM", "OWNER", "SET"):
            return found, at + size
    if words[at : at + 1] == ["METASTORE"]:
        return "metastore", at + 1
    return "table", at


def _privileges(reader: _Reader, at: int) -> tuple[list[SqlName], int]:
    """The privileges of a list: words up to a comma, columns in parentheses left out."""
    found: list[SqlName] = []
    words: list[Token] = []
    while at < len(reader.tokens):
        token = reader.tokens[at]
        if token.text == "(":
            at = _after_parentheses(reader.tokens, at)
            continue
        if token.text != "," and (token.kind != "word" or token.upper == "ON"):
            break
        if token.text == ",":
            _keep(reader, words, found)
            words = []
        else:
            words.append(token)
        at += 1
    _keep(reader, words, found)
    return found, at


def _keep(reader: _Reader, words: list[Token], found: list[SqlName]) -> None:
    if words:
        holes = tuple(hole for word in words for hole in reader.text.holes_of(word))
        found.append(SqlName("_".join(word.upper for word in words).replace("`", ""), holes))


def _told(privileges: list[SqlName], kind: str) -> tuple[SqlName, ...]:
    """The privileges by the names that they have today."""
    return tuple(name._replace(text=_OLD.get((name.text, kind)) or _OLD.get((name.text, "")) or name.text) for name in privileges)


def _after_parentheses(tokens: Sequence[Token], at: int) -> int:
    depth = 0
    while at < len(tokens):
        depth += (tokens[at].text == "(") - (tokens[at].text == ")")
        at += 1
        if depth == 0:
            break
    return at


def _principals(reader: _Reader, at: int) -> tuple[tuple[SqlName, ...], int]:
    """The principals after TO or FROM."""
    found: list[SqlName] = []
    while at < len(reader.tokens):
        token = reader.tokens[at]
        if token.kind == "mark" and token.text != "?":
            if token.text == "<":
                raise Foreign
            break
        if token.upper in _NOT_PRINCIPALS and (token.upper == "PUBLIC" or at + 1 < len(reader.tokens)):
            raise Foreign
        principal, at = _principal(reader, at)
        if is_placeholder(principal.text):
            raise Foreign
        found.append(principal)
        if reader.mark(at) != ",":
            break
        at += 1
    return tuple(found), at


def _principal(reader: _Reader, at: int) -> tuple[SqlName, int]:
    """One principal; a mail may stand without backticks."""
    token = reader.tokens[at]
    if token.kind == "string":
        return SqlName(token.text[1:-1], reader.text.holes_of(token)), at + 1
    end = at + 1
    while end < len(reader.tokens) and reader.tokens[end].at == reader.tokens[end - 1].at + len(reader.tokens[end - 1].text):
        if reader.tokens[end].text == ",":
            break
        end += 1
    parts = reader.tokens[at:end]
    holes = tuple(hole for part in parts for hole in reader.text.holes_of(part))
    return SqlName("".join(part.text for part in parts).replace("`", "").replace("?", HOLE).strip(), holes), end


def read_owner(text: Text, tokens: Sequence[Token], span: Span) -> Owned | None:
    """`ALTER kind name [SET] OWNER TO principal`; None for another ALTER.

    Raises:
        Foreign: it is none of Unity Catalog's.
    """
    words = [token.upper for token in tokens]
    at = next((n for n in range(2, len(words) - 2) if words[n] == "OWNER" and words[n + 1] == "TO"), None)
    if at is None:
        return None
    reader = _Reader(text, tokens, words)
    kind, start = kind_at(words, 1)
    if start == 1 or words[1] in _ELSEWHERE:
        raise Foreign
    name, _ = read_name(text, tokens, start)
    principals, _ = _principals(reader, at + 2)
    if name is None or len(principals) != 1 or is_placeholder(name.text):
        raise Foreign
    return Owned(kind, name, principals[0], span)
