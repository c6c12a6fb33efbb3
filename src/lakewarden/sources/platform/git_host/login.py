"""Which kind of host a repository is on, and which token goes there.

A token is sent to the public host of its kind, or to the host that the environment names beside it: the address of a repository
comes from a file, which may name any host.
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from lakewarden.errors import SourceError, UsageError
from lakewarden.facts.gaps import Cause
from lakewarden.policy.repositories import repository_url
from lakewarden.sources.platform.git_host import azure_devops, github, gitlab
from lakewarden.sources.platform.git_host.repository import FAMILY, GitRepository, Host
from lakewarden.sources.platform.wire import http
from lakewarden.sources.platform.wire.errors import Failed, Missing, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakewarden.sources.platform.wire.api import Api, Options

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
#: What Git gives as the name of the user, beside a token.
_GIT_USERS = {"github": "x-access-token", "gitlab": "oauth2", "azure": "lakewarden"}
_GITHUB = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}


class Kind(NamedTuple):
    """A kind of host: its name as CI files have it, what reads it, where its tokens are, which variables name a host of one's own, and what to ask for."""

    system: str
    host: Any  # a Host; modules are one only for type checkers
    tokens: tuple[str, ...]
    hosts: tuple[str, ...]
    public: str
    scope: str


GITHUB = Kind(
    "github",
    github,
    ("GH_TOKEN", "GITHUB_TOKEN"),
    ("GH_HOST", "GITHUB_SERVER_URL"),
    "github.com",
    "a fine-grained token with Metadata, Contents, Actions and Administration (read)",
)
GITLAB = Kind(
    "gitlab",
    gitlab,
    ("GITLAB_TOKEN",),
    ("GITLAB_HOST", "CI_SERVER_URL"),
    "gitlab.com",
    "a token of a Maintainer with the scope read_api",
)
AZURE = Kind(
    "azure",
    azure_devops,
    ("AZURE_DEVOPS_TOKEN", "SYSTEM_ACCESSTOKEN"),
    ("SYSTEM_COLLECTIONURI",),
    "dev.azure.com",
    "a token with the scopes Code, Build and Environment (read)",
)


class Connected(NamedTuple):
    """A repository that can be asked about, and what asks. `remedy` is for what stays hidden without a token."""

    repository: GitRepository
    host: Host
    system: str
    remedy: str = ""


class Hosts:
    """The Git hosts of one run: each is recognised and logged in to once, and its requests are counted together."""

    def __init__(self, environ: Mapping[str, str] | None = None, options: Options | None = None) -> None:
        self._variables = os.environ if environ is None else environ
        self._options = options
        self._known: dict[tuple[str, bool], _Known | SourceError | UsageError] = {}

    @property
    def counts(self) -> Mapping[str, int]:
        """The requests that were sent, by family."""
        found: Counter[str] = Counter()
        for known in self._known.values():
            if isinstance(known, _Known):
                found.update(known.api.counts)
        return found

    def connect(self, key: str) -> Connected:
        """The repository of a key `https://host/path`.

        Raises a SourceError where the host is of no known kind, or does not answer.
        """
        parts = urlsplit(key)
        at = (f"{parts.scheme}://{parts.netloc}", "/_git/" in parts.path)
        if at not in self._known:
            try:
                self._known[at] = self._host(key)
            except (SourceError, UsageError) as problem:
                self._known[at] = problem
        known = self._known[at]
        if not isinstance(known, _Known):
            raise known
        return Connected(GitRepository(key, known.api, parts.path.strip("/")), known.kind.host, known.kind.system, known.remedy)

    def _host(self, key: str) -> _Known:
        variables, parts = self._variables, urlsplit(key)
        root = f"{parts.scheme}://{parts.netloc}"
        kind = _kind(key, variables, self._options)
        token = _token(kind, parts.netloc, parts.hostname or "", variables)
        if token and parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            reason = f"{root} is not https, so a token could be read on the way"
            raise SourceError(Cause.REFUSED.value, reason, "write the repository's address as https://")
        remedy = "" if token else f"set {kind.tokens[0]} to {kind.scope}"
        if not token and any(variables.get(name) for name in kind.tokens):
            remedy = f"set {kind.hosts[0]} to {parts.netloc}, so that {kind.tokens[0]} is sent there"
        return _Known(kind, _api(kind, root, parts.netloc, token, self._options), remedy)


class _Known(NamedTuple):
    kind: Kind
    api: Api
    remedy: str


def _api(kind: Kind, root: str, host: str, token: str, options: Options | None) -> Api:
    if kind is GITHUB:
        address = (
            "https://api.github.com" if host == "github.com" else f"https://api.{host}" if _is_cloud(host) else f"{root}/api/v3"
        )
        return http.connect(address, token=token or None, headers=_GITHUB, options=options)
    if kind is GITLAB:
        return http.connect(f"{root}/api/v4", token=token or None, options=options)
    return http.connect(root, user="" if token else None, password=token or None, options=options)


def _is_cloud(host: str) -> bool:
    return host.endswith(".ghe.com")


def _kind(key: str, variables: Mapping[str, str], options: Options | None) -> Kind:
    parts = urlsplit(key)
    host = parts.hostname or ""
    if host == AZURE.public or "/_git/" in parts.path:
        return AZURE
    for kind in (GITHUB, GITLAB):
        if host == kind.public or _named(kind, parts.netloc, variables):
            return kind
    if _is_cloud(host) or "github" in host:
        return GITHUB
    return GITLAB if "gitlab" in host else _probe(f"{parts.scheme}://{parts.netloc}", options)


def _named(kind: Kind, netloc: str, variables: Mapping[str, str]) -> bool:
    """Does the environment name this host, beside the token of its kind?"""
    for name in kind.hosts:
        value = variables.get(name, "").strip().lower()
        if value and (urlsplit(value).netloc if "://" in value else value.rstrip("/")) == netloc:
            return True
    return False


def _token(kind: Kind, netloc: str, host: str, variables: Mapping[str, str]) -> str:
    if host != kind.public and not _named(kind, netloc, variables):
        return ""
    return next((found for name in kind.tokens if (found := variables.get(name, "").strip())), "")


def git_header(address: str, environ: Mapping[str, str] | None = None) -> str:
    """The header by which Git logs in to a repository over https, from the token of its host; empty where none goes there."""
    variables = os.environ if environ is None else environ
    parts = urlsplit(repository_url(address) or "")
    host = parts.hostname or ""
    kind = next((one for one in (GITHUB, GITLAB, AZURE) if host == one.public or _named(one, parts.netloc, variables)), None)
    token = _token(kind, parts.netloc, host, variables) if kind is not None and parts.scheme == "https" else ""
    if kind is None or not token:
        return ""
    return f"Authorization: Basic {b64encode(f'{_GIT_USERS[kind.system]}:{token}'.encode()).decode()}"


def tokens_in_use(environ: Mapping[str, str] | None = None) -> frozenset[str]:
    """The tokens of Git hosts that the environment holds, and what Git sends in place of each."""
    variables = os.environ if environ is None else environ
    found = set[str]()
    for kind in (GITHUB, GITLAB, AZURE):
        for token in (variables.get(name, "").strip() for name in kind.tokens):
            if token:
                pairs = (f"{user}:{token}" for user in (_GIT_USERS[kind.system], ""))
                found |= {token, *(b64encode(pair.encode()).decode() for pair in pairs)}
    return frozenset(found)


def _probe(root: str, options: Options | None) -> Kind:
    """Ask a host of unknown kind, without a token, for what only one kind has."""
    for kind, address in ((GITLAB, "/version"), (GITHUB, "/meta")):
        api = _api(kind, root, urlsplit(root).netloc, "", options)
        try:
            api.get(address, family=FAMILY)
        except Refused:
            return kind
        except (Missing, Failed):
            continue
        return kind
    raise SourceError(Cause.NOT_ASKED.value, f"{root} is no GitHub, GitLab or Azure DevOps", "check its branch rules by hand")
