"""What every CI system says, in one shape. Readers write it; they recognise no commands and know no policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lakewarden.facts.origin import Origin

#: Stands in a text for what is known only when the workflow runs.
HOLE = "\0"

#: Stands for the name of the default branch where a workflow speaks of that and not of a name: in `refs` behind `refs/heads/`,
#: in `bases`, and in a Situation. It is a branch like any other: none of those that have names.
DEFAULT_BRANCH = "\1"


class Situation(NamedTuple):
    """One way in which a workflow may be started.

    `event` is a value of `ci_reach.event`; `ref` what is checked out (`refs/heads/x`, `refs/tags/v1`, `refs/pull/1/merge`);
    `base` the branch that a pull request goes into, without prefix, and empty for other events.
    """

    event: str
    ref: str
    base: str = ""


class Login(NamedTuple):
    """A credential that a step or a job gets by other means than a variable: an action, a service connection, an ID token.

    `kind` is a value of `ci_credentials.kind`, None where it cannot be told.
    """

    name: str
    kind: str | None
    origin: Origin


class Step(NamedTuple):
    """One step. It runs `text` in a shell, or `uses` an action, task or component with `inputs`; composite actions,
    templates and anchors are resolved by the reader, so that a step is what runs in the end.

    Unknown parts of texts are HOLE. `folder` is the working directory from the root of the repository, None where it is not
    known. `environ` holds all variables in force, of workflow, job and step; a value that comes from a secret or a variable of
    the CI system is written as the system writes it (`${{ secrets.X }}`, `$(X)`, `$X`), so that its name can be read.
    `text_line` is the line of `origin.path` on which `text` begins, None where its lines do not stand there one for one.
    `shell` is the shell as the file names it (`bash`, `pwsh`, `sh -e {0}`), empty where it names none. `secrets` holds the
    names of the secrets that `text` and `inputs` mention, which are HOLE there.
    `can_run` answers for this step alone, its job's answer not included; None where it cannot be evaluated.
    """

    origin: Origin
    can_run: Callable[[Situation], bool | None]
    text: str = ""
    uses: str = ""
    inputs: Mapping[str, str] = {}
    environ: Mapping[str, str] = {}
    folder: str | None = ""
    ignores_failure: bool | None = False
    logins: tuple[Login, ...] = ()
    text_line: int | None = None
    shell: str = ""
    secrets: tuple[str, ...] = ()


class Job(NamedTuple):
    """One job, once for each combination of its matrix. `name` is unique in its workflow.

    `needs` names the jobs that have to succeed before, those implied by stages included. `environment` is the name of its
    environment, empty where it has none, None where it is not known; `environment_protected` only what the file itself says
    of it. `head` is `branch`, `detached`, or None where it is not known: what the checkout leaves. `environ` holds the
    variables that every step of the job can read. `unread` says why a part of the job could not be read. `starts_for` answers
    whether an event starts it that changes one file alone, the path given; None where it runs whatever is changed. `needs_vary`: it waits for more than `needs` at times.
    """

    name: str
    origin: Origin
    can_run: Callable[[Situation], bool | None]
    steps: tuple[Step, ...] = ()
    needs: tuple[str, ...] = ()
    environment: str | None = ""
    environment_protected: bool | None = None
    head: str | None = None
    checks_out_pr_head: bool | None = False
    ignores_failure: bool | None = False
    environ: Mapping[str, str] = {}
    logins: tuple[Login, ...] = ()
    unread: tuple[Unread, ...] = ()
    starts_for: Callable[[str, str], bool | None] | None = None
    needs_vary: bool = False


class Unread(NamedTuple):
    """A part that could not be read: `cause` is a class of gap."""

    cause: str
    reason: str
    remedy: str
    origin: Origin


class Workflow(NamedTuple):
    """A workflow or pipeline: what is started as one.

    `system` is `github`, `azure` or `gitlab`. `events` are all events that may start it, values of `ci_reach.event`, None
    where they could not be read. `refs` are the names and globs of branches and tags (`refs/heads/release`,
    `refs/tags/v*`) and `bases` those of target branches that its triggers and conditions mention: whoever asks `can_run`
    asks for a sample of each, and for one name that is none of them. `one_value` tells that a variable of the CI system has one
    value in all jobs: none of them has variables or groups of its own.
    """

    system: str
    path: str
    name: str
    origin: Origin
    events: tuple[str, ...] | None
    jobs: tuple[Job, ...]
    refs: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    unread: tuple[Unread, ...] = ()
    one_value: bool = True
