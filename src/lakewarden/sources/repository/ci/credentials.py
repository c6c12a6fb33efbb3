"""Credentials for Databricks that jobs can read: by the names of variables and secrets, and by logins."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.ci.workflow import HOLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
#: A value that CI fills in: its secret or variable.
_SECRET = re.compile(r"\$\{\{\s*(?:secrets|vars|variables|parameters|inputs)\s*(?:\.|\[\s*['\"])\s*([\w.-]+)")
_MACRO = re.compile(r"\$[({]?\[?(?:variables\.)?([A-Za-z_][\w.-]*)")
_LITERAL_TOKEN = re.compile(r"\b(?:dapi|dose)[0-9a-f]{20,}")
_DATABRICKS = re.compile(r"(?:^|_)(?:DATABRICKS|DBX|ADB|DBRICKS|DBKS|DB)(?:_|$)")
_TOKEN = re.compile(r"(?:^|_)(?:TOKEN|PAT|ACCESS_TOKEN|API_TOKEN|API_KEY)\d*(?:_|$)")
_JOINED = re.compile(r"(?:^|_)(?:DATABRICKS|DBRICKS|DBX|ADB)(?:ACCESS|API|DEV|STAGING|PROD)?(?:TOKEN|PAT)\d*(?:_|$)")
_NO_TOKEN = re.compile(r"OIDC|AUDIENCE|ENDPOINT|URL|_FILE|FILEPATH|EXPIR|LIFETIME|AAD|ID_TOKEN|MGMT|ENTRA")
_SHORT_LIVED = re.compile(r"(?:^|_)(?:AAD|MGMT|MANAGEMENT|ENTRA|BEARER)(?:_|$)")
_CLIENT_SECRET = re.compile(
    r"CLIENT_?SECRET|SP_SECRET|PRINCIPAL_(?:SECRET|PASSWORD|KEY)|APP_SECRET|OAUTH_SECRET|M2M_SECRET|SPN_(?:SECRET|KEY)"
)
_AZURE = re.compile(r"(?:^|_)(?:ARM|AZURE|AAD|AZ|TENANT)(?:_|$)")
_OIDC = frozenset({"github-oidc", "env-oidc", "file-oidc", "gitlab-oidc", "azure-devops-oidc", "oidc-token"})
#: Variables that the tools of Databricks and Azure read.
_KINDS = {
    "DATABRICKS_TOKEN": "pat",
    "DATABRICKS_CLIENT_SECRET": "m2m_secret",
    "ARM_CLIENT_SECRET": "azure_sp_secret",
    "AZURE_CLIENT_SECRET": "azure_sp_secret",
}
_PROFILE = "DATABRICKS_CONFIG_PROFILE"
#: Commands that write down how the CLI logs in.
_CONFIGURES = re.compile(r"databrickscfg|\b(?:databricks(?:-cli)?|dbfs|dbx)\s+configure\b", re.IGNORECASE)
#: Where a script gives one of the variables of `_KINDS` a value that CI fills in, or that another variable holds.
_ASSIGNED = re.compile(
    r"(?<![\w-])(?:\$env:)?("
    + "|".join(_KINDS)
    + r")\s{0,9}=\s{0,9}[\"']?\$?(?:env:)?[({]?("
    + HOLE
    + r"|[A-Za-z_]\w*)[)}]?[\"']?(?=\s|$|[;&|>])"
)
_BEARER = re.compile(r"Authorization[\"']?\s*[:=]\s*[\"']?(?:Bearer|Basic)", re.IGNORECASE)
_REST = re.compile(r"/api/2\.\d/|databricks", re.IGNORECASE)
_GIVEN = re.compile(r"(?<![\w-])(?:--)?token\b[\"']?\s{0,9}[=:]?\s{0,9}[\"']?\$(?:env:)?\{?([A-Za-z_]\w*)", re.IGNORECASE)
_NOT_OURS = re.compile(
    r"(?:^|_)(?:GITHUB|GH|GITLAB|GIT|CI|NPM|PYPI|SLACK|SONAR\w*|DOCKER|CODECOV|AAD|AZURE|ENTRA|BEARER|JOB)(?:_|$)"
)


class Credential(NamedTuple):
    """A credential. `name` is the variable or action by which it is read, `secret` what CI keeps it as, empty where that is
    not known; `kind` is a value of `ci_credentials.kind`.
    """

    name: str
    kind: str | None
    secret: str = ""

    @property
    def texts(self) -> tuple[str, str]:
        """The names that may speak of a stage."""
        return spaced(self.secret), spaced(self.name)


def spaced(name: str) -> str:
    """A name with its words apart: `prodAzureSpSecret` is `prod_Azure_Sp_Secret`."""
    return _CAMEL.sub("_", name)


def normal(name: str) -> str:
    """A name as tools compare it."""
    return spaced(name).upper().replace("-", "_").replace(".", "_")


def of_variables(environ: Mapping[str, str], made: frozenset[str]) -> Iterator[Credential]:
    """The credentials among variables. `made` holds, in lower case, the names that a step of the workflow sets itself: a
    token made during the run is not stored.
    """
    for name, value in environ.items():
        kind = kind_of(name)
        secret = _kept_as(value)
        if kind is None:
            continue
        if kind == "profile":
            yield Credential(name, kind, value if HOLE not in value else "")
        elif name.lower() in made or _is_made(secret, made):
            continue
        elif secret:
            yield Credential(name, kind_of(secret, like=kind) or kind, secret)
        elif _LITERAL_TOKEN.search(value):
            yield Credential(name, "pat")
    if environ.get("DATABRICKS_AUTH_TYPE", "").strip().lower() in _OIDC:
        yield Credential("DATABRICKS_AUTH_TYPE", "oidc")


def _is_made(secret: str, made: frozenset[str]) -> bool:
    """Is it a variable that a step sets, or the output of one (`step.name`), or a token of Entra ID, which lives for an hour?"""
    last = secret.lower().rpartition(".")[2]
    return last in made or "." in secret or _SHORT_LIVED.search(normal(secret)) is not None


def of_secrets(names: Iterable[str]) -> Iterator[Credential]:
    """The credentials among secrets that a text or an input mentions, by their names alone."""
    for name in names:
        kind = kind_of(name)
        if kind is not None and kind != "profile":
            yield Credential(name, kind, name)


def of_configuration(text: str, environ: Mapping[str, str], names: Iterable[str], made: frozenset[str]) -> Iterator[Credential]:
    """The credentials that a script puts where the CLI or the REST interface takes them, whatever they are called. `names` are
    the secrets that the script mentions.
    """
    known = [name for name in names if kind_of(name) is None]
    for variable, value in _ASSIGNED.findall(text):
        kind = _KINDS[variable]
        kept = [name for name in known if _may_hold(name, kind)] if value == HOLE else []
        if value != HOLE and kind_of(value) is None:
            kept = [value] if value in known else [_kept_as(environ.get(value, ""))]
        yield from (Credential(variable, kind, name) for name in kept[:1] if name and not _is_made(name, made))
    if _LITERAL_TOKEN.search(text):
        yield Credential("DATABRICKS_TOKEN", "pat")
    if _CONFIGURES.search(text) is None and not (_BEARER.search(text) and _REST.search(text)):
        return
    for name in dict.fromkeys((*_GIVEN.findall(text), *known)):
        secret = name if name in known else _kept_as(environ.get(name, ""))
        if (
            secret
            and name.lower() not in made
            and kind_of(name) is None
            and _may_hold(secret, "pat")
            and not _is_made(secret, made)
        ):
            yield Credential(name, "pat", secret)


def _may_hold(name: str, kind: str) -> bool:
    """Does a name speak of a credential of a kind, where it stands for one?"""
    name = normal(name)
    if _NOT_OURS.search(name) or _NO_TOKEN.search(name):
        return False
    return re.search(r"(?:TOKEN|PAT)\d*(?:_|$)" if kind == "pat" else r"SECRET|PASSWORD|KEY|PWD", name) is not None


def of_inputs(inputs: Mapping[str, str]) -> Iterator[Credential]:
    """The credentials among the inputs of an action."""
    for name, value in inputs.items():
        secret = _kept_as(value)
        if not secret:
            continue
        kind = kind_of(secret) or kind_of(name)
        if kind is not None and kind != "profile":
            yield Credential(secret, kind, secret)


def kind_of(name: str, *, like: str | None = None) -> str | None:
    """The kind of a credential by its name; None where the name speaks of none. `like` is the kind of the variable that holds
    it, which a name without the word Databricks does not change.
    """
    name = normal(name)
    known = _KINDS.get(name)
    if known is not None:
        return known
    if name == _PROFILE:
        return "profile"
    ours = _DATABRICKS.search(name) is not None
    if _CLIENT_SECRET.search(name) and (ours or _AZURE.search(name)):
        if like is not None:
            return like
        return "azure_sp_secret" if _AZURE.search(name) else "m2m_secret"
    if (_JOINED.search(name) or (ours and _TOKEN.search(name))) and not _NO_TOKEN.search(name):
        return like or "pat"
    return None


def _kept_as(value: str) -> str:
    """The name of the secret or variable of CI that a value comes from; empty where it comes from none."""
    found = _SECRET.search(value)
    if found is not None:
        return found[1]
    macro = _MACRO.fullmatch(value.strip().rstrip(")}]"))
    return macro[1] if macro is not None else ""


def effective(credentials: Iterable[Credential]) -> list[Credential]:
    """Those that tools use by themselves: variables that they read, and logins. All, where there are none of these."""
    found = list(credentials)
    return [one for one in found if one.name in _KINDS or not one.secret] or found


def is_service_principal(credentials: Iterable[Credential]) -> bool | None:
    """Do they belong to a service principal? A token may be anybody's."""
    kinds = {credential.kind for credential in effective(credentials)}
    if not kinds or kinds & {"pat", "profile", None}:
        return None
    return True
