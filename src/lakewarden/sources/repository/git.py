"""Git: the checkout and the branches that this clone knows of, by the `git` command, without asking the remote."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.errors import SourceError
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.version_control import Branch, Repository
from lakewarden.sources.git_command import Answer, git

if TYPE_CHECKING:
    from lakewarden.facts.collect import Facts
    from lakewarden.sources.source import Context

_ALL_BRANCHES = "refs/heads/*"


class Checkout(NamedTuple):
    """What one clone says.

    `on_remote` holds for each branch whether the remote has it, None where that is not known; `narrow` says why the list of
    branches is not complete, and is empty where it is.
    """

    branch: str
    remote: str
    shallow: bool
    on_remote: dict[str, bool | None]
    narrow: str


class GitSource:
    """Reads the Git checkout around the tree. What protects a branch is known to the Git host alone."""

    name = "git"
    plane = "declared"
    fills = frozenset({"branches", "repositories"})
    needs = ("the git command",)

    def read(self, context: Context, facts: Facts) -> None:
        """Write one repository, and its branches, for each project of the layout."""
        projects = context.layout.projects
        if not projects:
            return
        try:
            checkout = read_checkout(str(context.tree.root))
        except SourceError as problem:
            for table in sorted(self.fills):
                facts.gap(Gap(Cause(problem.cause), table, problem.reason, problem.remedy))
            return
        for project in projects:
            with facts.listing("repositories", project=project):
                facts.add(
                    Repository(
                        key=project, project=project, branch=checkout.branch, remote=checkout.remote, shallow=checkout.shallow
                    )
                )
            declared = {row.key for row in facts.rows["branches"]}
            names = [name for name in checkout.on_remote if declared.isdisjoint(_declared_as(project, checkout.remote, name))]
            facts.add(*(Branch(key=f"{project}/{name}", project=project, name=name) for name in names))
            if not checkout.narrow:
                with facts.listing("branches", project=project):
                    pass
        if checkout.narrow:
            remedy = "fetch all branches: `fetch-depth: 0` in actions/checkout, `GIT_DEPTH: 0` in GitLab"
            facts.gap(Gap(Cause.NOT_ASKED, "branches", checkout.narrow, remedy))
        if checkout.on_remote:
            reason = "what protects a branch is known to the Git host alone"
            facts.gap(Gap(Cause.NOT_ASKED, "branches", reason, "run `lakewarden audit`", value=True))


def _declared_as(project: str, remote: str, name: str) -> set[str]:
    """The keys of a branch whose rules Terraform declares for the repository of this checkout."""
    parts = remote.removesuffix(".git").replace(":", "/").split("/")
    return {f"{project}/{name}", f"{project}/{parts[-1]}/{name}", f"{project}/{'/'.join(parts[-2:])}/{name}"}


def read_checkout(root: str) -> Checkout:
    """What the clone around a folder says; SourceError where there is none, or git cannot tell."""
    shallow = git(root, ("rev-parse", "--is-shallow-repository"))
    if not shallow.ok:
        raise _problem(root, shallow)
    remotes = _remotes(_output(root, ("config", "-z", "--get-regexp", r"^remote\..*\.(url|fetch)$"), fine={0, 1}))
    main = "origin" if "origin" in remotes else next(iter(remotes)) if len(remotes) == 1 else None
    local: list[str] = []
    tracked: set[str] = set()
    head = None
    for mark, ref, points_to in _refs(root):
        if ref.startswith("refs/heads/"):
            local.append(ref.removeprefix("refs/heads/"))
            head = local[-1] if mark == "*" else head
        elif main is not None and ref.startswith(f"refs/remotes/{main}/") and not points_to:
            tracked.add(ref.removeprefix(f"refs/remotes/{main}/"))
    if head is None:  # a branch without a commit is no ref
        head = _output(root, ("symbolic-ref", "--quiet", "HEAD"), fine={0, 1}).strip().removeprefix("refs/heads/") or "none"
    narrow = _why_narrow(shallow.line == "true", main, remotes)
    absent = None if narrow else False
    return Checkout(
        branch=head,
        remote=without_credentials(remotes["origin"].url) if "origin" in remotes else "none",
        shallow=shallow.line == "true",
        on_remote={name: True if name in tracked else absent for name in sorted({*local, *tracked})},
        narrow=narrow,
    )


def without_credentials(url: str) -> str:
    """The URL of a remote without user, password, token or query; the user of an SSH address is part of the address."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url
    scheme = scheme.lower()
    place, slash, path = rest.partition("/")
    if "@" not in place and ":" in place and not place.rpartition(":")[2].isdigit() and "@" in path and "[" not in place:
        place, slash, path = rest.rpartition("@")[2].partition("/")  # a password with `/` in it
    user, at, host = place.rpartition("@")
    kept = f"{user.partition(':')[0]}{at}" if scheme in {"ssh", "git+ssh", "ssh+git"} else ""
    if scheme in {"http", "https"}:
        path = path.partition("?")[0].partition("#")[0]
    return f"{scheme}://{kept}{host}{slash}{path}"


class _Remote(NamedTuple):
    url: str
    fetch: tuple[str, ...]


def _remotes(listing: str) -> dict[str, _Remote]:
    remotes: dict[str, _Remote] = {}
    for record in listing.split("\0"):
        key, _, value = record.partition("\n")
        name, _, what = key.removeprefix("remote.").rpartition(".")
        if name:
            known = remotes.get(name, _Remote("", ()))
            remotes[name] = (
                known._replace(url=known.url or value) if what == "url" else known._replace(fetch=(*known.fetch, value))
            )
    return {name: remote for name, remote in remotes.items() if remote.url}


def _refs(root: str) -> list[tuple[str, str, str]]:
    """Each branch: `*` where it is checked out, the ref, and the ref that it stands for."""
    listing = _output(root, ("for-each-ref", "--format=%(HEAD)%00%(refname)%00%(symref)", "refs/heads", "refs/remotes"))
    records = (line.split("\0") for line in listing.splitlines())
    return [(record[0], record[1], record[2]) for record in records]


def _why_narrow(shallow: bool, main: str | None, remotes: dict[str, _Remote]) -> str:
    if main is None:
        return "the checkout has several remotes and none is called origin" if remotes else ""
    if shallow:
        return "the checkout is shallow: other branches of the remote may not have been fetched"
    if not any(spec.lstrip("+").partition(":")[0] == _ALL_BRANCHES for spec in remotes[main].fetch):
        return "the checkout does not fetch all branches of the remote"
    return ""


def _output(root: str, arguments: tuple[str, ...], *, fine: frozenset[int] | set[int] = frozenset({0})) -> str:
    answer = git(root, arguments)
    if answer.code not in fine:
        raise _problem(root, answer)
    return answer.output.decode("utf-8", "backslashreplace")


def _problem(root: str, answer: Answer) -> SourceError:
    if answer.code is None:
        cause, reason, remedy = "failed", answer.error, "install git, or put it on PATH"
        if "seconds" in answer.error:
            remedy = "run again, or check the file system"
        return SourceError(cause, reason, remedy)
    if "not a git repository" in answer.error:
        return SourceError("not-asked", "the folder is not in a Git repository", "run in a clone of the repository")
    first = answer.error.splitlines()[0] if answer.error else f"git ended with code {answer.code}"
    return SourceError("failed", f"Git cannot read the repository: {first}", f"run `git -C {root} status`")
