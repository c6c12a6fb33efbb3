"""Facts of the credentials that jobs can read, and of identities that serve several stages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.facts.model.ci import CiCredential
from lakewarden.facts.model.identity import PrincipalStage
from lakewarden.sources.repository.ci.credentials import (
    Credential,
    effective,
    of_configuration,
    of_inputs,
    of_secrets,
    of_variables,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from lakewarden.facts.collect import Facts
    from lakewarden.facts.origin import Origin
    from lakewarden.sources.repository.ci.link.steps import Done
    from lakewarden.sources.repository.ci.link.units import Units
    from lakewarden.sources.repository.ci.scripts.follow import Files
    from lakewarden.sources.repository.ci.targets import Targets
    from lakewarden.sources.repository.ci.workflow import Job, Step, Workflow

_SAYS_WHERE = frozenset({"ENVIRONMENT", "ENV", "STAGE", "TARGET_ENV", "DEPLOY_ENV", "DEPLOYMENT_ENVIRONMENT", "ENVIRONMENT_NAME"})
_OURS = re.compile(r"databricks|(?<![a-z])dbx(?![a-z])", re.IGNORECASE)
_NONE: frozenset[str] = frozenset()
_UNCLEAR = "for which stage the credential is cannot be told from its name or from the steps that use it"
_NO_KIND = "what kind of credential it is cannot be told"


class Place(NamedTuple):
    """What credentials are written with. `uses` are those of each secret in the workflow; `production` is what any workflow
    does in production with a secret that is the repository's own.
    """

    targets: Targets
    files: Files
    uses: Mapping[tuple[str, str | None], list[Done]]
    production: Mapping[str, Done]
    written: set[tuple[object, ...]]


class Held(NamedTuple):
    """A credential that a job can read (`step` None), or one of its steps alone."""

    credential: Credential
    step: Step | None
    origin: Origin


def held_by(job: Job, step: Step, made: frozenset[str] = _NONE) -> list[Credential]:
    """The credentials that a step can read: by variables, and by the logins of the job up to it."""
    found = list(of_variables(step.environ, made))
    found += _logins(job)
    for other in job.steps:
        found += _logins(other)
        if other is step:
            break
    return found


def _logins(where: Job | Step) -> list[Credential]:
    """Logins that count for Databricks: one to AWS does not, since Databricks knows no identities of AWS."""
    return [Credential(login.name, login.kind) for login in where.logins if not login.name.startswith("aws-actions/")]


def held(job: Job, made: frozenset[str]) -> Iterator[Held]:
    """What a job can read, that of its steps alone with the step."""
    seen: set[str] = set()
    for credential in of_variables(job.environ, made):
        seen.add(credential.secret or credential.name)
        yield Held(credential, None, job.origin)
    for login in _logins(job):
        seen.add(login.name)
        yield Held(login, None, job.logins[0].origin)
    for step in job.steps:
        own = {name: value for name, value in step.environ.items() if job.environ.get(name) != value}
        written = of_configuration(step.text, step.environ, step.secrets, made)
        for credential in (*of_variables(own, made), *of_inputs(step.inputs), *of_secrets(step.secrets), *written):
            if (credential.secret or credential.name) not in seen:
                yield Held(credential, step, step.origin)
        for login in _logins(step):
            if login.name not in seen:
                yield Held(login, step, step.logins[0].origin)


def is_about_databricks(job: Job, done: list[Done]) -> bool:
    """Has a job to do with Databricks, by what it does or by any of its texts? A secret of Azure alone says nothing."""
    if any(one.reached is not None for one in done):
        return True
    texts = [*job.environ, *job.environ.values()]
    for step in job.steps:
        texts += (step.text, step.uses, *step.environ, *step.environ.values(), *step.inputs, *step.inputs.values(), *step.secrets)
    return any(_OURS.search(text) for text in texts)


def write_credentials(
    job: Job, done: list[Done], made: frozenset[str], place: Place, units_of: Callable[[str], Units], fallback: str
) -> None:
    """Write the credentials of a job, each once for the times at which it can be read. `fallback` is the project of a job that
    does nothing for any.
    """
    found = list(held(job, made))
    federated = any(one.credential.kind == "oidc" for one in found)
    for one in found:
        credential = one.credential
        if (credential.kind == "profile" and len(found) > 1) or (credential.kind is None and federated):
            continue  # the profile says where another credential is used
        users = [use for use in done if one.step is None or use.act.step is one.step or _comes_after(job, use.act.step, one.step)]
        users = [use for use in users if use.reached is not None] or place.uses.get((credential.secret, job.environment), users)
        chosen = next((use for use in users if use.stage == "production"), next(iter(users), None))
        units = units_of(chosen.project if chosen is not None else fallback)
        target = _target(job, one, users, chosen, place.targets, units.project)
        same = place.production.get(credential.secret) if job.environment == "" else None
        if same is not None and same.reached is not None and place.targets.spoken_of(credential.texts) is None:
            target = same.reached.key  # one secret has one value: it opens production here, too
        unit = units.of(one.step)
        key = f"{unit}/{credential.name}"
        if credential.secret not in ("", credential.name):
            key += f"={credential.secret}"
        origin = line_of(place.files, one, job)
        # What several jobs read by one line is told once, unless pull requests may reach it in one of them.
        exposed = place.targets.is_production(target) is not False
        apart = (target, *units.reach[unit]) if exposed else ()
        told = (units.project, origin.path, origin.line, credential.secret or credential.name, *apart)
        if (key,) in place.written or told in place.written:
            continue
        place.written.update(((key,), told))
        if target is None:
            units.notes.unresolved("ci_credentials", _UNCLEAR, units.project, one.origin)
        if credential.kind is None:
            units.notes.unresolved("ci_credentials", _NO_KIND, units.project, one.origin)
        units.notes.facts.add(
            CiCredential(
                key=key,
                project=units.project,
                ci_job=unit,
                target=target,
                name=credential.secret or credential.name,
                kind=credential.kind,
                federation_subject="none",
                validates_only=False,
                origin=origin,
            )
        )


def line_of(files: Files, one: Held, job: Job) -> Origin:
    """The line that sets a credential, or names it: in its step; else at the head of its job, at the head of the file, in the
    job.
    """
    origin = one.origin
    lines = (files.text(origin.path) or "").splitlines() if origin.path is not None else []
    places = [_lines(origin, lines)]
    if one.step is None:
        first = min((step.origin.line or 1 for step in job.steps if step.origin.path == origin.path), default=1)
        head = next((at for at, line in enumerate(lines) if line.startswith(("jobs:", "stages:", "steps:"))), 0)
        places = [range(places[0].start, max(first - 1, places[0].start)), range(head), *places]
    names = [name for name in (one.credential.secret, one.credential.name) if name]
    for place in places:
        for name in names:
            pattern = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
            at = next((at for at in place if pattern.search(lines[at]) and not lines[at].lstrip().startswith("#")), None)
            if at is not None:
                return origin._replace(line=at + 1, column=None, end_line=at + 1, end_column=None)
    return origin


def _lines(origin: Origin, lines: list[str]) -> range:
    return range((origin.line or 1) - 1, min(origin.end_line or len(lines), len(lines)))


def _comes_after(job: Job, step: Step, login: Step) -> bool:
    """Does a step come after one that logs in?"""
    order = [id(other) for other in job.steps]
    return bool(login.logins) and id(step) in order and order.index(id(step)) > order.index(id(login))


def _target(job: Job, one: Held, users: list[Done], chosen: Done | None, targets: Targets, project: str) -> str | None:
    """The key of the target that a credential is for: by its name, by what uses it, by the host or the environment."""
    stage = targets.spoken_of(one.credential.texts)
    if stage is not None:
        return targets.of_stage(project, stage)
    if chosen is not None and chosen.reached is not None:
        known = chosen.stage == "production" or all(use.stage is not None for use in users)
        return chosen.reached.key if known else None
    environ = one.step.environ if one.step is not None else job.environ
    stage = targets.spoken_of([*places_in(environ), job.environment or ""])
    return None if stage is None else targets.of_stage(project, stage)


def places_in(environ: Mapping[str, str]) -> list[str]:
    """The values of variables that say where something happens: a host, the name of an environment."""
    hosts = [value for name, value in environ.items() if name.upper().endswith("DATABRICKS_HOST")]
    return [*hosts, *(value for name, value in environ.items() if name.upper() in _SAYS_WHERE)]


def uses(jobs: Iterable[Job], done: Mapping[str, list[Done]], made: frozenset[str]) -> dict[tuple[str, str | None], list[Done]]:
    """What uses each secret in a workflow, by the secret and the environment, which may give it another value."""
    found: dict[tuple[str, str | None], list[Done]] = {}
    for job in jobs:
        for one in done[job.name]:
            if one.reached is not None:
                for secret in {credential.secret for credential in effective(held_by(job, one.act.step, made))} - {""}:
                    found.setdefault((secret, job.environment), []).append(one)
    return found


def write_shared_identities(
    workflow: Workflow, done: Mapping[str, list[Done]], jobs: Iterable[Job], made: frozenset[str], facts: Facts, written: set[str]
) -> None:
    """Write in which stages each credential acts. A secret of an environment has another value in each, and so have
    variables that groups give to each stage: they are not compared. An environment of Azure Pipelines has no secrets.
    """
    if not workflow.one_value:
        return
    for job in jobs:
        if job.environment != "" and workflow.system != "azure":
            continue
        for one in done[job.name]:
            if one.stage is None or one.reached is None or not one.act.action.changes:
                continue
            for credential in effective(held_by(job, one.act.step, made)):
                identity = credential.secret
                key = f"{one.project}/credential:{identity}/{one.stage}"
                if identity and credential.kind != "profile" and key not in written:
                    written.add(key)
                    facts.add(
                        PrincipalStage(
                            key=key,
                            project=one.project,
                            principal=f"credential:{identity}",
                            acts_in=one.stage,
                            is_deploy=one.act.action.kind.endswith("_deploy"),
                            origin=one.act.origin,
                        )
                    )
