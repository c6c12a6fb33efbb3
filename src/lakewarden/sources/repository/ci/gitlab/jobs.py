"""One pipeline of GitLab CI: its jobs, when they run, and the pipelines that they start in the same project."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.ci.gitlab.changes import starts_for
from lakewarden.sources.repository.ci.gitlab.files import Assembly
from lakewarden.sources.repository.ci.gitlab.merge import Jobs
from lakewarden.sources.repository.ci.gitlab.rules import Rule, flat, follow, only_except, read_rules, text_of
from lakewarden.sources.repository.ci.gitlab.scripts import expanded, mentioned, script, value_of, values
from lakewarden.sources.repository.ci.gitlab.situations import Start, starts
from lakewarden.sources.repository.ci.gitlab.values import Set
from lakewarden.sources.repository.ci.heads import attaches
from lakewarden.sources.repository.ci.ternary import every, some
from lakewarden.sources.repository.ci.workflow import HOLE, Job, Login, Situation, Step, Unread
from lakewarden.sources.yaml_nodes import List, Map, Node, Scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lakewarden.sources.repository.ci.gitlab.files import Config, Loader

MAX_MATRIX = 200
MAX_NESTED = 3
_STAGES = ("build", "test", "deploy")


class Found(NamedTuple):
    """A job, with what decides what it waits for: its name in the file, its stage, and the jobs that started its pipeline."""

    base: str
    stage: int
    job: Job
    node: Map
    scope: tuple[str, ...]


class Pipeline:
    """One pipeline: that of the project, or one that a job of it starts. `above` are the variables that it gets from there."""

    def __init__(
        self,
        config: Config,
        loader: Loader,
        perhaps_default: frozenset[str],
        scope: tuple[str, ...] = (),
        above: Mapping[str, str] | None = None,
    ) -> None:
        self.config = config
        self.loader = loader
        self.perhaps_default = perhaps_default
        self.scope = scope
        self.above = above or {}
        self.jobs = Jobs(config)
        workflow = config.items.get("workflow")
        rules = workflow.get("rules") if isinstance(workflow, Map) else None
        self.has_rules = rules is not None or bool(config.workflow)
        self.rules, self.groups = read_rules(rules, self.exists)

    @property
    def is_child(self) -> bool:
        """Does another pipeline of the project start it?"""
        return bool(self.scope)

    def exists(self, node: Node) -> bool | None:
        """Do files that a rule asks for exist? They may, on another branch."""
        wanted = node.get("paths") if isinstance(node, Map) else node
        names = tuple(text_of(item).lstrip("/") for item in flat(wanted))
        return True if self.loader.holds(tuple(name for name in names if name and "$" not in name and HOLE not in name)) else None

    def read(self, parent: Callable[[Situation], bool | None], samples: list[Situation]) -> Iterator[Found]:
        """The jobs, those of pipelines that they start included. `parent` says when the pipeline is started."""
        stages = self._stages()
        for name in self.jobs.names():
            node = self.jobs.job(name)
            stage = stages.get(text_of(node.get("stage")) or "test", len(stages))
            variants = list(self._variants(name, node, parent))
            living = [job for job in variants if any(job.can_run(situation) is not False for situation in samples)]
            for job in living or variants[:1]:
                child = self.child(node, job.name, job.environ)
                unread = () if child is None else child.config.unread
                yield Found(name, stage, job._replace(unread=(*job.unread, *unread)), node, self.scope)
                if child is not None:
                    yield from child.read(job.can_run, samples)

    def _stages(self) -> dict[str, int]:
        node = self.config.items.get("stages") or self.config.items.get("types")
        names = [text_of(item) for item in flat(node)] if node is not None else list(_STAGES)
        return {name: number for number, name in enumerate(dict.fromkeys((".pre", *names, ".post")))}

    def _variants(self, name: str, node: Map, parent: Callable[[Situation], bool | None]) -> Iterator[Job]:
        """A job, once for each set of variables that rules give it, and for each combination of its matrix."""
        rules, groups = read_rules(node.get("rules"), self.exists)
        own = self.jobs.variables(node)
        several = len(self.groups) > 1 or len(groups) > 1
        for outer in range(max(len(self.groups), 1)):
            of_pipeline = self.groups[outer].variables if self.groups else {}
            for inner in range(max(len(groups), 1)):
                of_rule = groups[inner].variables if groups else {}
                fails = groups[inner].allows_failure if groups else None
                given = {**of_pipeline, **of_rule}
                label = ", ".join(f"{key}={value_of(value)}" for key, value in given.items()) if several else ""
                for combination, matrix in _matrix(node):
                    known = {**own, **given, **matrix}
                    can = self._can_run(node, name, rules, frozenset({inner}), frozenset({outer}), known, parent)
                    told = " ".join(
                        part for part in (name, f"[{combination}]" if combination else "", f"({label})" if label else "") if part
                    )
                    yield self._job(told, name, node, known, can, fails)

    def _can_run(
        self,
        node: Map,
        name: str,
        rules: list[Rule],
        inner: frozenset[int],
        outer: frozenset[int],
        known: Mapping[str, Node],
        parent: Callable[[Situation], bool | None],
    ) -> Callable[[Situation], bool | None]:
        sets = {key: _set(value) for key, value in known.items()}
        globals_ = self.config.items.get("variables")
        of_pipeline = {key: _set(value) for key, value in globals_.items.items()} if isinstance(globals_, Map) else {}
        for key, text in self.above.items():
            sets[key] = of_pipeline[key] = Set(text)
        conditions = [read_rules(one, self.exists)[0] for one in self.config.rules.get(name, ())]
        incomplete = name in self.jobs.missing and not {"rules", "only", "except"} & set(node.items)

        def runs(start: Start) -> bool | None:
            parts = [self._starts(start, outer, of_pipeline)]
            parts += [follow(one, _groups(one), start, of_pipeline) for one in conditions]
            if "rules" in node.items:
                parts.append(follow(rules, inner, start, sets))
            else:
                parts.append(only_except(node, start, sets, by_default=self.has_rules))
                parts.append(None if incomplete else True)
            return every(parts)

        known_answers: dict[Situation, bool | None] = {}

        def can_run(situation: Situation) -> bool | None:
            if situation not in known_answers:
                here = (start._replace(child=self.is_child) for start in starts(situation, self.perhaps_default))
                known_answers[situation] = every([parent(situation), some([runs(start) for start in here])])
            return known_answers[situation]

        return can_run

    def _starts(self, start: Start, groups: frozenset[int], variables: Mapping[str, Set]) -> bool | None:
        """Is the pipeline started at all?"""
        if self.rules or (self.has_rules and not self.config.workflow):
            return follow(self.rules, groups, start, variables)
        shipped: bool | None = True
        if self.config.workflow:
            shipped = _shipped(self.config.workflow, start)
        return shipped if self.config.whole else every([shipped, None])

    def _job(
        self,
        told: str,
        name: str,
        node: Map,
        known: Mapping[str, Node],
        can: Callable[[Situation], bool | None],
        fails: Node | None,
    ) -> Job:
        environ = values(known, self.above)
        secrets = node.get("secrets")
        environ.update((key, f"${key}") for key in (secrets.items if isinstance(secrets, Map) else ()))
        tokens = node.get("id_tokens")
        logins = tuple(Login(key, "oidc", value.origin) for key, value in tokens.items.items()) if isinstance(tokens, Map) else ()
        steps = tuple(_steps(node, environ))
        environment = _environment(node.get("environment"), environ)
        default = text_of(node.get("when")) == "manual" and "rules" not in node.items
        allowed = fails if fails is not None else node.get("allow_failure")
        return Job(
            name=told,
            origin=self.config.items[name].origin,
            can_run=can,
            steps=steps,
            environment=environment,
            environment_protected=False if environment == "" else None,
            head="branch" if any(attaches(step.text) for step in steps) else "detached",
            ignores_failure=_allowed(allowed, default=default),
            environ=environ,
            logins=logins,
            unread=(*self.jobs.missing.get(name, ()), *_elsewhere(node)),
            starts_for=starts_for(node),
        )

    def child(self, node: Map, name: str, above: Mapping[str, str]) -> Pipeline | None:
        """The pipeline of the same project that a job starts."""
        trigger = node.get("trigger")
        wanted = trigger.get("include") if isinstance(trigger, Map) else None
        if wanted is None or len(self.scope) >= MAX_NESTED or not self.loader.may_start():
            return None
        assembly = Assembly(self.loader)
        parts = [part for item in flat(wanted) for part in assembly.include(item, (), ())]
        return Pipeline(assembly.config(parts), self.loader, self.perhaps_default, (*self.scope, name), above)


def _steps(node: Map, environ: Mapping[str, str]) -> Iterator[Step]:
    def always(_: Situation) -> bool:
        return True

    folder = None if environ.get("GIT_STRATEGY") in ("none", "empty") else ""
    run = node.get("run")
    for item in run.items if isinstance(run, List) else ():
        if isinstance(item, Map):
            text, line = script([item.get("script")])
            yield Step(
                item.origin,
                always,
                text,
                text_of(item.get("step")),
                environ=environ,
                folder=folder,
                text_line=line,
                secrets=mentioned(text, environ),
            )
    body = node.get("script")
    text, line = script([node.get("before_script"), body])
    if body is not None and text:
        yield Step(
            (body if body.path else node).origin,
            always,
            text,
            environ=environ,
            folder=folder,
            text_line=line,
            secrets=mentioned(text, environ),
        )
    after = node.get("after_script")
    text, line = script([after])
    if after is not None and text:
        yield Step(
            after.origin,
            always,
            text,
            environ=environ,
            folder=folder,
            text_line=line,
            ignores_failure=True,
            secrets=mentioned(text, environ),
        )


def _set(node: Node) -> Set:
    """A variable of the file. One with a description is offered to whoever starts a pipeline by hand."""
    options = node.get("options") if isinstance(node, Map) else None
    told = tuple(map(text_of, options.items)) if isinstance(options, List) else None
    return Set(value_of(node), told, isinstance(node, Map) and "description" in node.items)


def _groups(rules: list[Rule]) -> frozenset[int]:
    return frozenset(rule.group for rule in rules)


def _shipped(name: str, start: Start) -> bool | None:
    """The rules for pipelines that GitLab ships as `Workflows/…`."""
    if name.startswith("Workflows/MergeRequest-Pipelines"):
        if start.is_request or start.tag is not None:
            return True
        from lakewarden.sources.repository.ci.gitlab.situations import predefined
        from lakewarden.sources.repository.ci.gitlab.values import equal

        return equal(start.branch, predefined("CI_DEFAULT_BRANCH", start)).true
    return not start.is_request if name.startswith("Workflows/Branch-Pipelines") else None


def _matrix(node: Map) -> list[tuple[str, dict[str, Node]]]:
    parallel = node.get("parallel")
    matrix = parallel.get("matrix") if isinstance(parallel, Map) else None
    found: list[tuple[str, dict[str, Node]]] = []
    for row in flat(matrix):
        if isinstance(row, Map):
            names = list(row.items)
            for combination in product(*(flat(value) for value in row.items.values())):
                if len(found) < MAX_MATRIX:
                    found.append((", ".join(map(text_of, combination)), dict(zip(names, combination, strict=True))))
    return found or [("", {})]


def _environment(node: Node | None, environ: Mapping[str, str]) -> str | None:
    name = expanded(text_of(node.get("name") if isinstance(node, Map) else node), environ)
    return None if "$" in name or HOLE in name else name


def _allowed(node: Node | None, *, default: bool) -> bool | None:
    if node is None:
        return default
    if isinstance(node, Scalar):
        return {"true": True, "false": False}.get(node.text.lower())
    return None  # for some exit codes


def _elsewhere(node: Map) -> Iterator[Unread]:
    """What a job starts that is not in this repository."""
    trigger = node.get("trigger")
    project = trigger.get("project") if isinstance(trigger, Map) else trigger
    if trigger is not None and text_of(project):
        reason = f"the pipeline of {text_of(project)!r}, which this job starts, is not in this repository"
        yield Unread("not-asked", reason, "check that repository too", trigger.origin)
