"""The jobs of a workflow as they run for one occasion: matrices multiplied out, called workflows in place of their calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.ci.github.conditions import always
from lakewarden.sources.repository.ci.github.frames import (
    Frame,
    Look,
    Status,
    finished,
    is_open,
    secret,
    settled_text,
    text_in,
    value_in,
)
from lakewarden.sources.repository.ci.github.logins import logins_of_variables, may_get_token
from lakewarden.sources.repository.ci.github.matrix import combinations, name_of, of_node
from lakewarden.sources.repository.ci.github.runs import Call
from lakewarden.sources.repository.ci.github.scalars import text_of, texts_of
from lakewarden.sources.repository.ci.github.steps import Draft, Place, Reading, flag, texts
from lakewarden.sources.repository.ci.github.values import Object, Unknown, Value
from lakewarden.sources.repository.ci.workflow import Unread
from lakewarden.sources.yaml_nodes import Map

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lakewarden.facts.origin import Origin
    from lakewarden.sources.repository.ci.github.checkout import Checkout
    from lakewarden.sources.repository.ci.github.conditions import Condition
    from lakewarden.sources.repository.ci.github.files import File, Files
    from lakewarden.sources.repository.ci.github.occasions import Occasion
    from lakewarden.sources.repository.ci.workflow import Login

MAX_CALLS = 10

_SYSTEMS = {"ubuntu": "Linux", "windows": "Windows", "macos": "macOS"}


class JobDraft(NamedTuple):
    """A job as it runs for one occasion; fields as in `Job`. `levels` are the calls it stands in and itself: label and name."""

    name: str
    levels: tuple[tuple[str, str], ...]
    needs: tuple[tuple[str, str], ...]
    origin: Origin
    condition: Condition
    environment: str | None
    ignores_failure: bool | None
    environ: tuple[tuple[str, str], ...] = ()
    logins: tuple[Login, ...] = ()
    steps: tuple[Draft, ...] = ()
    checkouts: tuple[Callable[[Occasion], Checkout], ...] = ()
    unread: tuple[Unread, ...] = ()
    outputs: Value = Unknown()

    @property
    def says(self) -> tuple[object, ...]:
        """What tells it from the same job on another occasion."""
        return (self.name, self.environment, self.ignores_failure, self.environ, tuple(step.says for step in self.steps))


class _At(NamedTuple):
    """One combination of one job: where it stands and what it can read."""

    call: Call
    job: str
    node: Map
    label: str
    look: Look
    matrix: Value
    unread: tuple[Unread, ...]

    @property
    def levels(self) -> tuple[tuple[str, str], ...]:
        return (*self.call.levels, (self.call.label, self.job))

    @property
    def needs(self) -> tuple[tuple[str, str], ...]:
        """The jobs that have to run before, of each call around it too."""
        found = [(self.call.label, name) for name in self.call.file.needs(self.job)]
        return (*self.call.needs, *found)


def drafts(files: Files, call: Call, job: str, occasion: Occasion) -> Iterator[JobDraft]:
    """A job for one occasion: once for each combination, and once for each job of what it calls."""
    node = call.file.jobs[job]
    told = Status(needs=call.told(job, occasion))
    outside = Look(Frame(call.inputs, call.secrets), occasion, told)
    found = combinations(node.get("strategy"), outside)
    unread: tuple[Unread, ...] = ()
    if found.problem:
        remedy = "write the combinations out, so that they can be read without a run"
        unread = (Unread("unresolved", f"{found.problem} of job {job} is known only when it runs", remedy, node.origin),)
    for matrix in found.values:
        frame = Frame(call.inputs, call.secrets, matrix)
        look = Look(frame, occasion, told)
        at = _At(call, job, node, f"{call.label}{node.key}{name_of(matrix)}".replace("\0", "?"), look, matrix, unread)
        uses = text_of(node.get("uses"))
        if uses is None:
            yield _runs(files, at, occasion)
        else:
            yield from _calls(files, at, uses.strip(), occasion)


def _runs(files: Files, at: _At, occasion: Occasion) -> JobDraft:
    """A job of steps."""
    file, node = at.call.file, at.node
    environ = texts(file.node.get("env"), at.look)
    frame = Frame(at.call.inputs, at.call.secrets, at.matrix, environ, _system(node, at.look), at.call.results_of(at.job))
    look = Look(frame, occasion, at.look.status)
    environ = {**environ, **texts(node.get("env"), look)}
    frame = frame._replace(environ=environ)
    token = may_get_token(node.get("permissions"), may_get_token(file.node.get("permissions"), at.call.token))
    reading = Reading(files, occasion, file.root, token=token)
    folder, shell = (_default(key, (node, file.node), look) for key in ("working-directory", "shell"))
    condition = at.call.condition(at.job)
    before = reading.read(node.get("steps"), Place(frame, folder, always, shell, needs=at.look.status.needs))
    outputs = of_node(node.get("outputs") or Map("", 0, 0, 0), Look(frame, occasion, before.told(at.look.status.needs)))
    return JobDraft(
        at.label, at.levels, at.needs, node.origin, condition, _environment(node, at.look), flag(node.get("continue-on-error"), at.look),
        tuple((key, finished(value)) for key, value in environ.items()), logins_of_variables(environ, token, node.origin), tuple(reading.steps), tuple(reading.checkouts),
        (*at.unread, *reading.unread), outputs,
    )  # fmt: skip


def _calls(files: Files, at: _At, uses: str, occasion: Occasion) -> Iterator[JobDraft]:
    """A job that calls a workflow: the jobs of that, where it is one of this repository."""
    file = files.called(uses, at.call.file.root) if uses.startswith("./") else None
    given = at.node.get("with")
    passed = given.items if isinstance(given, Map) else {}
    unread = at.unread
    if file is not None and file.triggers.called is not None and not at.call.holds(file.path) and len(at.levels) < MAX_CALLS:
        inputs = _inputs(file, {key.lower(): value_in(text_of(node) or "", at.look) for key, node in passed.items()})
        token = may_get_token(at.node.get("permissions"), may_get_token(at.call.file.node.get("permissions"), at.call.token))
        below = Call(
            file, f"{at.label} / ", inputs, _secrets(at), at.levels, at.needs, at.call, at.job, token,
            lambda job, occasion: _outputs(files, below, job, occasion),
        )  # fmt: skip
        for job in file.jobs:
            for draft in drafts(files, below, job, occasion):
                yield draft._replace(unread=(*at.unread, *draft.unread))
        return
    if uses.startswith("./"):
        remedy = "check the path of the workflow, that it has `on: workflow_call`, and that it does not call itself"
        unread = (*unread, Unread("unresolved", f"the workflow {uses} cannot be followed", remedy, at.node.origin))
    else:
        remedy = "lint the repository that holds it"
        unread = (*unread, Unread("not-asked", f"the workflow {uses} is in another repository", remedy, at.node.origin))
    condition = at.call.condition(at.job)
    texts_given = tuple((key, text_in(text_of(node) or "", at.look)) for key, node in passed.items())
    step = Draft(at.node.origin, always, uses=uses, inputs=texts_given, folder=None)
    yield JobDraft(at.label, at.levels, at.needs, at.node.origin, condition, "", False, steps=(step,), unread=unread)


def _outputs(files: Files, call: Call, job: str, occasion: Occasion) -> Value:
    """The outputs of a job of a called workflow, where it runs once."""
    found = list(drafts(files, call, job, occasion))
    return found[0].outputs if len(found) == 1 else Unknown()


def _inputs(file: File, passed: dict[str, Value]) -> Object:
    """The inputs of a called workflow: what is passed, else its defaults."""
    found: dict[str, Value] = {}
    for one in file.triggers.called or ():
        value: Value = passed.get(one.name)
        if one.name not in passed:
            value = one.default
        if one.kind == "boolean" and (value is None or isinstance(value, str)):
            value = value == "true"
        found[one.name] = "" if value is None and one.kind == "string" else value
    return Object(found)


def _secrets(at: _At) -> Object | None:
    """The secrets that a called workflow can read; those of its environments go by their own names."""
    node = at.node.get("secrets")
    if not isinstance(node, Map):
        return at.call.secrets
    values = {key.lower(): value_in(text_of(below) or "", at.look) for key, below in node.items.items()}
    return Object(values, secret)


def _environment(node: Map, look: Look) -> str | None:
    environment = node.get("environment")
    if isinstance(environment, Map):
        environment = environment.get("name")
    text = settled_text(text_of(environment) or "", look).strip()
    return None if is_open(text) or "{{" in text else text


def _system(node: Map, look: Look) -> Value:
    for text in texts_of(node.get("runs-on")):
        found = settled_text(text, look).lower()
        for start, system in _SYSTEMS.items():
            if found.startswith(start):
                return system
    return Unknown(truth=True)


def _default(key: str, nodes: Iterable[Map], look: Look) -> str:
    """What `defaults.run` says, the nearest first."""
    for node in nodes:
        defaults = node.get("defaults")
        run = defaults.get("run") if isinstance(defaults, Map) else None
        text = text_of(run.get(key)) if isinstance(run, Map) else None
        if text is not None:
            return settled_text(text, look)
    return ""
