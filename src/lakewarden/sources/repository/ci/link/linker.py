"""Makes facts of a workflow: its jobs, when they run, what they do, what they deploy, and with which credentials."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.facts.gaps import Cause, Gap
from lakewarden.sources.repository.ci.commands.action import TOOLS
from lakewarden.sources.repository.ci.commands.testing import runs_python_tests
from lakewarden.sources.repository.ci.link.credentials import (
    Place,
    held_by,
    is_about_databricks,
    places_in,
    uses,
    write_credentials,
    write_shared_identities,
)  # fmt: skip
from lakewarden.sources.repository.ci.link.job import made_by_steps, read_job
from lakewarden.sources.repository.ci.link.steps import Done, write_steps, write_upstream
from lakewarden.sources.repository.ci.link.units import Notes, Units
from lakewarden.sources.repository.ci.targets import Reached, Targets
from lakewarden.sources.repository.layout import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lakewarden.facts.collect import Facts
    from lakewarden.sources.repository.ci.link.job import Act, JobActs
    from lakewarden.sources.repository.ci.scripts.follow import Files
    from lakewarden.sources.repository.ci.workflow import Job, Unread, Workflow
    from lakewarden.sources.source import Context

#: What a workflow that was not read may hold.
TABLES = (
    "ci_jobs", "ci_reach", "ci_steps", "ci_deployments", "ci_credentials", "ci_upstream", "target_deployments",
)  # fmt: skip
#: What a part of a job that was not read may hold.
_OF_JOB = ("ci_steps", "ci_deployments", "ci_credentials", "target_deployments")
_CODE = (".py", ".ipynb", ".sql", ".scala", ".r", ".R")
#: What lies beside the code: tests, documentation, examples, tools, hidden folders, and what only packages it.
_BESIDE = re.compile(
    r"(?:^|/)(?:\.[^/]+|docs?|tests?|examples?|scripts?|tools?|ci|build|dist)/|(?:^|/)(?:setup|conftest|noxfile|tasks)\.py$|(?:^|/)test_[^/]*$"
)
_TESTS = frozenset({"unit_test", "integration_test"})
_MAY_TEST = re.compile(
    r"(?:test|spec)[^/]*/.*\.(?:py|ipynb|txt|md|rst)$|(?:test|spec)[^/]*\.(?:py|ipynb)$|\.feature$|(?:^|/)\.gitmodules$",
    re.IGNORECASE,
)
#: Where pytest is told of other names, and what tells it.
_CONFIGURES = re.compile(r"(?:^|/)(?:pyproject\.toml|pytest\.ini|setup\.cfg|tox\.ini|conftest\.py)$")
_OWN_NAMES = re.compile(r"python_files|doctest|nbmake|nbval|pytest_collect_file")


class Linked(NamedTuple):
    """A workflow with what its jobs do, and what uses each of its secrets."""

    workflow: Workflow
    jobs: dict[str, JobActs]
    done: dict[str, list[Done]]
    uses: dict[tuple[str, str | None], list[Done]]


class Linker:
    """Writes the facts of workflows."""

    def __init__(self, context: Context, facts: Facts, files: Files) -> None:
        self.context = context
        self.facts = facts
        self.files = files
        self.targets = Targets(context, facts)
        self.notes = Notes(facts)
        self.shared: set[str] = set()
        self.read: list[Linked] = []
        self.code: dict[str, tuple[str, ...]] = {}
        self.production: dict[tuple[str, str], Done] = {}
        self._tested: bool | None = None

    def workflow(self, workflow: Workflow) -> None:
        """Read all of one workflow. It is written once all are read: they share secrets."""
        jobs = {job.name: read_job(workflow, job, self.files) for job in workflow.jobs}
        done = {name: list(self._done(acts)) for name, acts in jobs.items()}
        found = uses(workflow.jobs, done, made_by_steps(workflow))
        self.read.append(Linked(workflow, jobs, done, found))
        if workflow.system == "azure":
            return  # groups give variables of one name to each stage
        for (secret, environment), of_secret in found.items():
            acting = next((one for one in of_secret if one.stage == "production" and one.act.action.changes), None)
            if acting is not None and environment == "":  # a secret of an environment has another value in each
                self.production.setdefault((workflow.system, secret), acting)

    def _write(self, linked: Linked) -> None:
        workflow, jobs, done, found = linked
        touched = sorted({one.project for found in done.values() for one in found})
        scope = self._scope(workflow)
        for unread in workflow.unread:
            for project in scope:
                self._unread(unread, TABLES, project)
        made = made_by_steps(workflow)
        elsewhere = {secret: one for (system, secret), one in self.production.items() if system == workflow.system}
        place = Place(self.targets, self.files, found, elsewhere, set())
        for name, acts in jobs.items():
            of_job: dict[str, Units] = {}

            def units(project: str, job: Job = acts.job, known: dict[str, Units] = of_job) -> Units:
                if project not in known:
                    known[project] = Units(workflow, job, project, self.context.policy, self.notes, self._code_of)
                return known[project]

            own = sorted({one.project for one in done[name]})
            for project in own:
                self._job(units(project), [one for one in done[name] if one.project == project], done, jobs)
            self._gaps(acts, own or touched or scope)
            if is_about_databricks(acts.job, done[name]):
                fallback = touched[0] if touched else self._known(REPOSITORY)
                write_credentials(acts.job, done[name], made, place, units, fallback)
        write_shared_identities(workflow, done, workflow.jobs, made, self.facts, self.shared)

    def finish(self) -> None:
        """Write all workflows, and what only all together tell: where nothing runs on pull requests, no check guards a branch."""
        for linked in self.read:
            self._write(linked)
        unread = {gap.project: gap for gap in self.facts.gaps if gap.facts == "ci_steps" and not gap.value}
        for project in {row.project for row in self.facts.rows["principal_stages"]}:
            gap = unread.get(None) or unread.get(project)
            if gap is not None:  # what was not read may use the same secrets elsewhere
                self.facts.gap(gap._replace(facts="principal_stages", project=project, parent=None))
        checked = {row.project for row in self.facts.rows["ci_steps"] if row.__dict__.get("on_pull_request") is not False}
        for row in self.facts.rows["ci_deployments"]:
            values = row.__dict__
            if values["branch_guarded"] is None and not unread.keys() & {None, row.project} and row.project not in checked:
                values["branch_guarded"] = False
            elif values["branch_guarded"] is None and row.origin is not None:
                self.notes.not_asked("ci_deployments", "what protects the branch", row.project or "", row.origin)

    def _job(self, units: Units, own: list[Done], done: dict[str, list[Done]], jobs: dict[str, JobActs]) -> None:
        anchors = write_steps(units, own, self.targets)
        for unit in units.reach:
            write_upstream(units, unit, own[: anchors.get(unit, 0)], done, jobs)

    def _scope(self, workflow: Workflow) -> Sequence[str | None]:
        """The projects that a workflow may be about: those in its folder, or all (None)."""
        folder = (
            workflow.path.partition(".github/")[0].rstrip("/")
            if workflow.system == "github"
            else posixpath.dirname(workflow.path)
        )
        own = self.context.layout.project_of(workflow.path)
        if not folder or own == REPOSITORY:
            return (None,)
        return sorted({own, *(bundle.project for bundle in self.targets.bundles if bundle.folder.startswith(f"{folder}/"))})

    def _gaps(self, acts: JobActs, projects: Sequence[str | None]) -> None:
        """Tell what of a job could not be read."""
        for unread in acts.job.unread:
            for project in projects:
                self._unread(unread, _OF_JOB, project)
        for origin in acts.unclear:
            reason = f"{origin.path}:{origin.line}: the command is known only when the workflow runs"
            for project in projects:
                for table in _OF_JOB:
                    self.facts.gap(Gap(Cause.UNRESOLVED, table, reason, project=project, origin=origin))

    def _done(self, acts: JobActs) -> Iterator[Done]:
        """The acts of a job with the projects that they are about."""
        for act in acts.acts:
            action = act.action
            if action.tool == "bundle":
                reached = self.targets.reached(act.folder, action.target, doubtful=act.doubtful)
                yield Done(act, self._known(reached.project), reached, self.targets.stage(reached.key))
            elif action.tool == "terraform" and not self._manages_databricks(act.folder):
                continue
            elif action.tool in TOOLS:
                project = self._project(act.folder)
                stage = self.targets.spoken_of(self._hints(act, acts.job))
                key = None if stage is None else self.targets.of_stage(project, stage)
                name = None if key is None else key.rpartition("/")[2]
                yield Done(act, project, Reached(project, key, name, "" if key else "the command names no stage"), stage)
            elif action.kind in _TESTS:
                if runs_python_tests(act.words) and not self._has_python_tests():
                    continue
                projects = self.targets.projects_of_tests(act.folder, act.words[1:])
                yield from (Done(act, project) for project in dict.fromkeys(map(self._known, projects)))
            elif action.kind == "model_copy":
                yield Done(act, self._project(act.folder))

    def _has_python_tests(self) -> bool:
        """May there be tests written in Python? There are none where there is code, and `test` stands in no path."""
        if self._tested is None:
            paths = [entry.path for entry in self.context.tree.files]
            self._tested = (
                not any(path.endswith(".py") for path in paths)
                or any(_MAY_TEST.search(path) for path in paths)
                or any(_OWN_NAMES.search(self.files.text(path) or "") for path in paths if _CONFIGURES.search(path))
            )
        return self._tested

    def _code_of(self, project: str) -> tuple[str, ...]:
        """The files of a project that tests are about: its code, without the tests themselves and what is built beside it."""
        if project not in self.code:
            paths = (entry.path for entry in self.context.tree.files if entry.path.endswith(_CODE))
            own = (path for path in paths if _BESIDE.search(path) is None)
            self.code[project] = tuple(path for path in own if self.context.layout.project_of(path) == project)
        return self.code[project]

    def _known(self, project: str) -> str:
        """A project of the layout: a bundle at the root leaves nothing to the repository itself."""
        projects = self.context.layout.projects
        return project if project in projects or not projects else projects[0]

    def _project(self, folder: str | None) -> str:
        bundle = self.targets.bundle(folder)
        if bundle is None and len(self.targets.bundles) == 1:
            bundle = self.targets.bundles[0]
        return self._known(bundle.project if bundle is not None else REPOSITORY)

    def _hints(self, act: Act, job: Job) -> list[str]:
        """What may speak of the stage in which a command acts, the surest first."""
        held = [text for credential in held_by(job, act.step) for text in credential.texts]
        return [*act.action.hints, *places_in(act.step.environ), *held, act.folder or "", job.environment or "", job.name]

    def _manages_databricks(self, folder: str | None) -> bool:
        """Do the Terraform files of a folder, or of the repository, speak of Databricks?"""
        paths = [entry.path for entry in self.context.tree.files if entry.path.endswith((".tf", ".tf.json"))]
        near = [path for path in paths if not folder or path.startswith(f"{folder}/")] or paths
        return any("databricks" in (self.files.text(path) or "") for path in near)

    def _unread(self, unread: Unread, tables: tuple[str, ...], project: str | None) -> None:
        for table in tables:
            self.facts.gap(Gap(Cause(unread.cause), table, unread.reason, unread.remedy, project=project, origin=unread.origin))
