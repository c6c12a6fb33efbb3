"""Reads what the steps of a job do: its scripts, the files of the repository that these run, and its actions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.ci.commands.recognise import recognise, unwrapped
from lakewarden.sources.repository.ci.commands.uses import action_of, command_of
from lakewarden.sources.repository.ci.scripts.follow import Files, Script, follow
from lakewarden.sources.repository.ci.shell.run import NOT_READ, Settings, run
from lakewarden.sources.repository.ci.shell.state import inside
from lakewarden.sources.repository.ci.shell.values import ROOT, Alternative, Variables
from lakewarden.sources.repository.ci.ternary import every, some
from lakewarden.sources.repository.ci.workflow import HOLE, Unread

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lakewarden.facts.origin import Origin
    from lakewarden.sources.repository.ci.commands.action import Action
    from lakewarden.sources.repository.ci.shell.state import Command
    from lakewarden.sources.repository.ci.shell.values import Guard
    from lakewarden.sources.repository.ci.workflow import Job, Step, Workflow

_MAX_DEPTH = 6
_MAX_COMMANDS = 5_000
#: A script without any of these does nothing that rules ask about.
_TELLING = re.compile(
    r"databricks|dbx|terraform|tofu|terragrunt|pytest|py\.test|unittest|coverage|tox|nox|nutter|nose|behave|make|just|task|hatch|poetry"
    r"|pipenv|pdm|pixi|rye|poe|uv |uvx|pre-commit|prek|npm|yarn|pnpm|invoke|inv |\.sh|\.py|\.ps1|\.cmd|\.bat|mvn|gradle|sbt|go test|cargo|dotnet|trial|bats"
    r"|(?:export|import)-(?:model|registered|all)|mlflow|azcopy|dbfs|/api/2|s3 |gsutil|gcloud|docker|podman|nerdctl|GITHUB_ENV|setvariable|ward|python|\x00"
)
_ROOT_FILE = re.compile(r"(?:^|[/\\\s\"'])(?:databricks|bundle)\.ya?ml(?:$|[\s\"'])")
_ONLY_READS = frozenset(
    {
        "cat",
        "ls",
        "grep",
        "head",
        "tail",
        "yamllint",
        "test",
        "wc",
        "diff",
        "stat",
        "git",
        "databricks",
        "pre-commit",
        "md5sum",
        "sha256sum",
    }
)
_SET_BY_AZURE = re.compile(r"##vso\[task\.setvariable\s+variable=([\w.]+)[^\]]*\](.*)", re.IGNORECASE | re.DOTALL)
_SET_BY_GITHUB = re.compile(r"^([A-Za-z_]\w*)=(.*)$", re.MULTILINE)
_MADE = re.compile(r"setvariable\s+variable=([\w.]+)|(?:echo|printf|Write-Output)?\s*[\"']([A-Za-z_]\w*)=", re.IGNORECASE)
_HANDS_ON = ("GITHUB_ENV", "setvariable")
_FOLDERS = ("GITHUB_WORKSPACE", "GITHUB_ACTION_PATH")
_REGISTERS = re.compile(r"register|import-model|log_model|model-?versions? create|ml model create", re.IGNORECASE)


_CONTAINERS = frozenset({"docker", "podman", "nerdctl"})


class Act(NamedTuple):
    """Something that a step does. `words` are those of the command, `guards` the conditions inside the step's script.

    `folder` is None where it is not known. `ignored` tells whether the job goes on, or ends well, when it fails; `doubtful`
    whether an earlier command writes the files of the bundle.
    """

    action: Action
    step: Step
    origin: Origin
    folder: str | None
    ignored: bool | None
    words: tuple[str, ...] = ()
    guards: tuple[Guard, ...] = ()
    doubtful: bool = False


class JobActs(NamedTuple):
    """What a job does, in order, and where that could not be read."""

    job: Job
    acts: tuple[Act, ...]
    unclear: tuple[Origin, ...]


def read_job(workflow: Workflow, job: Job, files: Files) -> JobActs:
    """What the steps of a job do."""
    reading = _Reading(workflow, job, files)
    for step in job.steps:
        reading.step(step)
    unread = tuple(dict.fromkeys(reading.unread))
    return JobActs(
        job._replace(unread=(*job.unread, *unread)) if unread else job,
        tuple(_with_copies(reading.acts, job)),
        tuple(reading.unclear),
    )


def _with_copies(acts: list[Act], job: Job) -> Iterator[Act]:
    """The acts, the download of a model among them where a later step registers one: together they carry it along."""
    order = {id(step): at for at, step in enumerate(job.steps)}
    for act in acts:
        if act.action.kind != "model_download":
            yield act
        elif any(_REGISTERS.search(step.text) for step in job.steps[order[id(act.step)] :]):
            yield act._replace(action=act.action._replace(kind="model_copy"))


def made_by_steps(workflow: Workflow) -> frozenset[str]:
    """The names, in lower case, of variables that steps of a workflow set for later ones."""
    texts = (step.text for job in workflow.jobs for step in job.steps if any(word in step.text for word in _HANDS_ON))
    return frozenset(name.lower() for text in texts for found in _MADE.findall(text) for name in found if name)


class _Reading:
    """One job. `exported` are the variables that its steps set for later ones."""

    def __init__(self, workflow: Workflow, job: Job, files: Files) -> None:
        self.system = workflow.system
        self.job = job
        self.files = files
        self.acts: list[Act] = []
        self.unclear: list[Origin] = []
        self.unread: list[Unread] = []
        self.exported: dict[str, tuple[Alternative, ...]] = {}
        self.places: dict[tuple[object, ...], int] = {}
        self.doubtful = False
        self.count = 0

    def step(self, step: Step) -> None:
        text = step.text or command_of(step.uses, step.inputs)
        if text:
            if _TELLING.search(text):
                variables = self._variables(step)
                language = _language(step.shell)
                folder = step.folder
                if language == "python":
                    text, language = f"python - <<'END'\n{text}\nEND\n", "sh"
                script = Script("", text, folder, _settings(self.system, step.shell), None, language)
                self._script(script, step, variables, (), 0, ())
            return
        action = action_of(step.uses, step.inputs) if step.uses else None
        if action is None and step.uses.startswith("docker://"):
            self._image(step, step.uses.removeprefix("docker://"), [*step.inputs, *step.inputs.values()])
        if action is not None:
            self.acts.append(
                Act(action, step, step.origin, step.folder, self._ignored(step, None), (step.uses,), (), self.doubtful)
            )

    def _variables(self, step: Step) -> Variables:
        variables = Variables(step.environ, declared=self.system == "github")
        for name in _FOLDERS:
            if name in step.environ:  # written from the folder of the step, which the script may leave
                place = inside(step.folder, step.environ[name])
                variables.set(name, (Alternative(HOLE if place is None else f"{ROOT}/{place}".rstrip("/")),))
        for name, values in self.exported.items():
            if step.environ.get(name, "") in (self.job.environ.get(name, ""), HOLE):
                variables.values[name] = values
        return variables

    def _script(
        self, script: Script, step: Step, variables: Variables, guards: tuple[Guard, ...], depth: int, seen: tuple[str, ...]
    ) -> None:
        """Read a text, and what it runs."""
        if not _TELLING.search(script.text):
            return
        if script.arguments is not None:
            variables = variables.copy()
            for name in [name for name in variables.values if name.isdigit()]:
                del variables.values[name]
            for at, value in enumerate(script.arguments, 1):
                variables.set(str(at), (Alternative(value),))
        if script.language == "sh":
            commands = run(
                script.text,
                script.folder,
                variables,
                script.settings,
                exists=self.files.exists,
                read=self.files.text,
                guards=guards,
            )
        else:
            from lakewarden.sources.repository.ci.shell.other import run_other

            commands = run_other(script.text, script.folder, variables, script.settings, language=script.language, guards=guards)
        for command in commands:
            self.count += 1
            if self.count > _MAX_COMMANDS:
                return
            self._command(command, step, depth, seen)

    def _command(self, command: Command, step: Step, depth: int, seen: tuple[str, ...]) -> None:
        self._exports(command)
        words = unwrapped(command.words)
        if not words:
            self._notes_writing(command, words)
            return
        action = recognise(words, command.given)
        if action is None or not action.tool:
            scripts = follow(words, command, self.files) if depth < _MAX_DEPTH else None
            if scripts is not None:
                for script in scripts:
                    if script.name not in seen:
                        settings = script.settings._replace(matters=None if command.ignored is None else not command.ignored)
                        below = script._replace(settings=settings)
                        self._script(below, step, command.variables, command.guards, depth + 1, (*seen, script.name))
                return
        if action is None:
            if words[0] in _CONTAINERS and "run" in words[1:4]:
                self._image(step, next((word for word in reversed(words) if "/" in word or ":" in word), "of a container"), words)
            self._notes_writing(command, words)
            if command.words == NOT_READ or (depth == 0 and len(words) == 1 and not words[0].strip(HOLE)):
                self.unclear.append(step.origin)
            return
        line = step.text_line
        origin = step.origin
        if line is not None and depth == 0:
            at = line + command.line
            origin = origin._replace(line=at, column=None, end_line=at, end_column=None)
        ignored = self._ignored(step, command.ignored if action.waits else True)
        folder = inside(command.folder, action.root) if action.root else command.folder
        self._add(Act(action, step, origin, folder, ignored, words, command.guards, self.doubtful), command.line, depth)

    def _image(self, step: Step, image: str, words: Iterable[str]) -> None:
        """Note an image that has to do with Databricks: what it does when it is run is not written here."""
        said = (image, *words, *step.environ, *step.secrets)
        if any("databricks" in word.lower() or "dbx" in word.lower() for word in said):
            reason = f"what the image {image.replace(HOLE, '…')} does is not in this repository"
            self.unread.append(Unread("not-asked", reason, "name the command that it runs", step.origin))

    def _add(self, act: Act, line: int, depth: int) -> None:
        """Note an act. One command whose words may come to several things, which make no difference here, is one act."""
        words = () if act.action.tool else act.words
        key = (id(act.step), line, depth, act.action, act.folder, act.ignored, words)
        at = self.places.get(key)
        if at is None or self.acts[at].doubtful != act.doubtful:
            self.places[key] = len(self.acts)
            self.acts.append(act)
        else:
            self.acts[at] = self.acts[at]._replace(guards=_either(self.acts[at].guards, act.guards))

    def _ignored(self, step: Step, own: bool | None) -> bool | None:
        return some((own if step.text else False, step.ignores_failure, self.job.ignores_failure))

    def _notes_writing(self, command: Command, words: tuple[str, ...]) -> None:
        """Does a command write the files of a bundle?"""
        name = words[0].rpartition("/")[2] if words else ""
        written = any(_ROOT_FILE.search(path) for path in command.written)
        if written or (name not in _ONLY_READS and name != "echo" and any(_ROOT_FILE.search(word) for word in words)):
            self.doubtful = True

    def _exports(self, command: Command) -> None:
        """Note the variables that a command sets for later steps."""
        for name, value in _exported(command):
            before = self.exported.get(name, ())
            new = Alternative(value, command.guards)
            self.exported[name] = (*before, new) if command.guards and len(before) < _MAX_DEPTH else (new,)


def _either(one: tuple[Guard, ...], other: tuple[Guard, ...]) -> tuple[Guard, ...]:
    """The conditions of what runs under either of two."""
    if not one or not other or one == other:
        return one if one == other else ()
    return (lambda situation: some((every(g(situation) for g in one), every(g(situation) for g in other))),)


def _exported(command: Command) -> Iterator[tuple[str, str]]:
    words = command.words
    if not words or words[0] not in ("echo", "printf", "Write-Host", "Write-Output", ""):
        return
    text = " ".join(words[1:]) if words[0] else command.fed
    if any(path in ("$GITHUB_ENV", "$env:GITHUB_ENV") for path in command.written):
        yield from _SET_BY_GITHUB.findall(text)
    elif (found := _SET_BY_AZURE.search(text)) is not None:
        yield found[1].upper().replace(".", "_"), found[2].strip("\"'")


def _language(shell: str) -> str:
    name = next(iter(shell.split()), "").rpartition("/")[2].lower()
    if name in ("pwsh", "powershell"):
        return "pwsh"
    return "cmd" if name == "cmd" else "python" if name.startswith("python") else "sh"


def _settings(system: str, shell: str) -> Settings:
    """How the shells of a CI system start."""
    if system == "gitlab":
        return Settings(True, True)
    if system == "azure":
        return Settings(None, False)  # a script goes on after a line that fails
    words = shell.split()
    if not words:
        return Settings(True, False)
    if len(words) == 1:
        return Settings(True, words[0] == "bash")
    return Settings(any(re.fullmatch(r"-\w*e\w*", word) for word in words[1:]), "pipefail" in words)


def environ_of(step: Step, job: Job) -> Mapping[str, str]:
    """The variables that a step has and its job has not."""
    return {name: value for name, value in step.environ.items() if job.environ.get(name) != value}
