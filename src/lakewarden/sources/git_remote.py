"""Asks a remote repository by the `git` command: which refs it has, and its history in a fresh clone.

No `GIT_*` variable of the environment, no configuration of a repository, no hook and no template takes part. Git may not
prompt, and speaks https, ssh and file alone. What comes in a fetch is checked by its hashes, so nobody forges a fresh clone.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.errors import SourceError
from lakewarden.policy.repositories import repository_url
from lakewarden.sources import trust
from lakewarden.sources.git_command import HARDENED, Answer
from lakewarden.sources.time_left import OVER, left

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

HEADS, TAGS = "refs/heads/", "refs/tags/"
_PEELED = "^{}"
_KEPT = frozenset({"GIT_SSL_CAINFO"})
_QUIET = {
    **HARDENED,
    "GIT_ALLOW_PROTOCOL": "https:ssh:file",
    "GIT_ASKPASS": "",
    "SSH_ASKPASS": "",
    "SSH_ASKPASS_REQUIRE": "never",
}
_OPTIONS = ("-c", f"core.hooksPath={os.devnull}", "-c", "http.sslVerify=true", "-c", "safe.directory=*")
#: How long the refs, and how long a clone, may take.
_REFS_SECONDS, _CLONE_SECONDS = 30.0, 120.0
#: So many refs are fetched by one command.
_AT_ONCE = 200
_SCP = re.compile(r"[\w.-]+@[\w.-]+:[^-].*")
_SCHEMES = ("https://", "ssh://", "file://")
_NO_LOGIN = (
    "authentication",
    "could not read username",
    "could not read password",
    "permission denied",
    "403",
    "401",
    "not found",
)
_NO_NETWORK = ("could not resolve", "connection refused", "timed out", "unable to access", "network is unreachable")


class Remote(NamedTuple):
    """A repository that can be asked: its address, and the header by which Git logs in where there is one."""

    url: str
    header: str = ""

    @property
    def shown(self) -> str:
        """The address without the login that it may hold, as clones of some CI systems do."""
        return re.sub(r"://[^\s/@]*@", "://", self.url)


class FreshClone(NamedTuple):
    """A clone that was made just now: its folder, and the commits of the refs that it was made for, by their full names."""

    root: str
    refs: dict[str, str]


def address_of(text: str) -> str:
    """The address of a repository as Git is given it. Raises a SourceError for what might be taken for something else."""
    address = text.strip()
    if address.startswith(_SCHEMES) or ("://" not in address and _SCP.fullmatch(address)):
        return address
    known = repository_url(address)
    if known is None and "://" not in address and "::" not in address and not address.startswith("-"):
        reason = f"{text} is a folder: whether the project's remote repository is there, nothing says"
        raise SourceError(
            "not-asked", reason, "let the remote, or repository of the project, be https://host/path or file:///path"
        )
    if known is None or not known.startswith("https://"):
        raise SourceError("not-asked", f"{text} is no address that is asked by https or ssh", "write it as https://host/path")
    return known


def published_refs(remote: Remote, *, seconds: float = _REFS_SECONDS) -> dict[str, str]:
    """The branches and tags of a remote repository by their full names, with their commits.

    Raises a SourceError where it does not answer.
    """
    with _folder() as folder:
        _is_itself(folder, remote)
        answer = _asked(folder, ("ls-remote", "--quiet", "--heads", "--tags", "--", remote.url), remote, seconds)
    refs: dict[str, str] = {}
    for line in answer.line.splitlines():
        commit, _, ref = line.partition("\t")
        # The commit of an annotated tag follows the tag itself.
        refs[ref.removesuffix(_PEELED)] = commit
    return refs


@contextmanager
def fresh_clone(remote: Remote, wanted: Callable[[str], bool], *, seconds: float = _CLONE_SECONDS) -> Iterator[FreshClone]:
    """Clone the history of the refs whose short names are wanted into a temporary folder; no file of it is checked out.

    Raises a SourceError where the repository does not answer, has no such ref, or is itself a shallow clone.
    """
    refs = {ref: commit for ref, commit in published_refs(remote).items() if wanted(short(ref))}
    # A tag that is called like a branch is not what the policy names.
    refs = {ref: commit for ref, commit in refs.items() if not (ref.startswith(TAGS) and f"{HEADS}{short(ref)}" in refs)}
    if not refs:
        raise SourceError("unresolved", f"{remote.shown} has no release branch", "name it under release_refs in the policy")
    first, *others = sorted(refs)
    with _folder() as folder:
        _is_itself(folder, remote)
        how = ("--quiet", "--bare", "--filter=blob:none", "--single-branch", "--no-tags", "--template=")
        _asked(folder, ("clone", *how, "--branch", short(first), "--", remote.url, "clone"), remote, seconds)
        root = str(Path(folder) / "clone")
        for start in range(0, len(others), _AT_ONCE):
            specs = [f"+{ref}:refs/asked/{ref}" for ref in others[start : start + _AT_ONCE]]
            _asked(root, ("fetch", "--quiet", "--no-tags", "origin", *specs), remote, seconds)
        if _asked(root, ("rev-parse", "--is-shallow-repository"), remote, seconds).line != "false":
            raise SourceError("truncated", f"{remote.shown} is a shallow clone itself", "name the repository on its Git host")
        yield FreshClone(root, refs)


def short(ref: str) -> str:
    """The name of a branch or tag."""
    return ref.removeprefix(HEADS) if ref.startswith(HEADS) else ref.removeprefix(TAGS)


@contextmanager
def _folder() -> Iterator[str]:
    with TemporaryDirectory(prefix="lakewarden-", ignore_cleanup_errors=True) as folder:
        yield folder


def _is_itself(folder: str, remote: Remote) -> None:
    """Git may be configured to read one address from another (`insteadOf`), which is fine as long as it is the same repository."""
    read = _asked(folder, ("ls-remote", "--get-url", "--", remote.url), remote, _REFS_SECONDS).line
    if read != remote.url and (repository_url(read) is None or repository_url(read) != repository_url(remote.url)):
        reason = f"Git is configured to read another repository instead of {remote.shown}"
        raise SourceError("refused", reason, "remove url.<base>.insteadOf for it from the configuration of Git")


def _asked(folder: str, arguments: Sequence[str], remote: Remote, seconds: float) -> Answer:
    answer = run(folder, arguments, environment_of(folder, remote), seconds)
    if answer.ok:
        return answer
    said = re.sub(r"://[^\s/@]*@", "://", answer.error)
    first = next((line for line in said.splitlines() if "fatal:" in line or "ERROR:" in line), said.partition("\n")[0])
    reason = f"{remote.shown} cannot be read by Git: {first.removeprefix('fatal: ') or f'it ended with {answer.code}'}"
    low = said.lower()
    if answer.code is None:
        raise SourceError("unreachable", reason, "install git, check the network, or raise --timeout")
    if any(word in low for word in _NO_LOGIN):
        raise SourceError("refused", reason, "let Git log in: a credential helper, or the token of the Git host in its variable")
    raise SourceError(
        "unreachable" if any(word in low for word in _NO_NETWORK) else "failed", reason, "check address and network"
    )


def environment_of(folder: str, remote: Remote) -> dict[str, str]:
    """The environment in which Git asks, with the header by which it logs in."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in _KEPT}
    found = kept | _QUIET | {"GIT_CEILING_DIRECTORIES": str(Path(folder).parent)}
    believed = trust.authorities()
    if believed is not None:
        found.setdefault("GIT_SSL_CAPATH" if os.path.isdir(believed) else "GIT_SSL_CAINFO", believed)
    if remote.header and remote.url.startswith("https://"):
        at = "/".join(remote.url.split("/")[:3])
        # Not as an argument, which other users of the machine could read.
        found |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"http.{at}/.extraHeader", "GIT_CONFIG_VALUE_0": remote.header}
    return found


def run(folder: str, arguments: Sequence[str], environment: Mapping[str, str], seconds: float) -> Answer:
    """Run `git` in a session of its own: without a terminal nothing can prompt, and what it started ends with it."""
    seconds = left(seconds)
    if not seconds:
        return Answer(None, b"", OVER)
    try:
        process = subprocess.Popen(  # noqa: S603
            ["git", *_OPTIONS, *arguments],  # noqa: S607
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except FileNotFoundError:
        return Answer(None, b"", "the git command is not installed")
    except OSError as error:
        return Answer(None, b"", f"git cannot be started: {error.strerror or error}")
    try:
        output, error_output = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        return Answer(None, b"", f"git gave no answer within {seconds:.3g} seconds")
    finally:
        if process.poll() is None:
            _end(process)
    return Answer(process.returncode, output, error_output.decode("utf-8", "backslashreplace").strip())


def _end(process: subprocess.Popen[bytes]) -> None:
    if os.name == "posix":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.communicate()
