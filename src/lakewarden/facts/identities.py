"""Who registers versions of a declared model, and who may promote them: from owners, grants and what its jobs run as."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.model.registry import ModelIdentity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lakewarden.facts.fact import Fact

#: What the rows are computed from. Where one of these lists is not complete, an identity may not have been seen.
READS = ("models", "securables", "jobs", "tasks", "effective_grants")

_REGISTERS = frozenset({"CREATE_MODEL_VERSION", "ALL_PRIVILEGES"})
#: Roles of tasks that make no version of a model.
_NEVER_REGISTER = frozenset({"validation", "approval", "deployment", "inference", "feature", "monitor"})


class _Identity(NamedTuple):
    """A principal; whoever deploys is one of the kind `deployer`. None where it is not known."""

    kind: str | None
    name: str | None

    @property
    def known(self) -> bool:
        """Is it known well enough to be compared?"""
        return self.kind == "deployer" or (self.kind is not None and self.name is not None and "${" not in self.name)

    @property
    def key(self) -> str | None:
        """The principal as facts write it."""
        return None if not self.known else "deployer" if self.kind == "deployer" else f"{self.kind}:{self.name}"


class _Right(NamedTuple):
    """What somebody does or may do with a model."""

    who: _Identity
    registers: bool | None
    promotes: bool | None


def model_identities(rows: Mapping[str, Sequence[Fact]]) -> Iterator[ModelIdentity | Gap]:
    """What each principal may do with each declared model of Unity Catalog."""
    models = [row for row in _declared(rows["models"]) if row.__dict__.get("registry") == "unity_catalog"]
    if not models:
        return
    securables = {row.key: row for row in _declared(rows["securables"])}
    grants: dict[str, list[_Right]] = {}
    for grant in _declared(rows["effective_grants"]):
        grants.setdefault(grant.__dict__["securable"], []).append(_granted(grant))
    of_target = _of_jobs(rows)
    for model in models:
        of_jobs = [right for at in (model.__dict__.get("target"), None) for right in of_target.get(at, ())]
        rights = list(dict.fromkeys([*of_jobs, *_owners(model, securables), *grants.get(model.key, ())]))
        yield from _rows(model, rights)
        if not any(right.registers for right in rights):
            yield from _unseen(model)


def _unseen(model: Fact) -> Iterator[ModelIdentity | Gap]:
    """Somebody registers versions, and nothing that is declared beside the model says who."""
    at = model.origin
    where = f"{at.path}:{at.line}: " if at is not None and at.path is not None else ""
    reason = f"{where}no training job is declared beside the model: who registers its versions is not known"
    remedy = "run `lakewarden audit`"
    yield ModelIdentity(key=f"{model.key}/?", project=model.project, model=model.key, registers=True, promotes=None, origin=at)
    yield Gap(Cause.NOT_ASKED, "model_identities", reason, remedy, project=model.project, origin=at, value=True)


def _declared(rows: Iterable[Fact]) -> Iterator[Fact]:
    return (row for row in rows if row.plane == "declared")


def _of_jobs(rows: Mapping[str, Sequence[Fact]]) -> dict[str | None, list[_Right]]:
    """By target: who its jobs run as, and whether they register versions of whatever model the target declares."""
    roles: dict[str, set[str | None]] = {}
    for task in _declared(rows["tasks"]):
        roles.setdefault(task.__dict__["job"], set()).add(task.__dict__.get("role"))
    training: dict[str | None, set[_Identity]] = {}
    models: dict[str | None, int] = {}
    for model in _declared(rows["models"]):
        target = model.__dict__.get("target")
        models[target] = models.get(target, 0) + 1
    jobs = [(job.__dict__.get("target"), _run_as(job), roles.get(job.key, set())) for job in _declared(rows["jobs"])]
    for target, who, of_job in jobs:
        if "training" in of_job:
            training.setdefault(target, set()).add(who)
    found: dict[str | None, list[_Right]] = {}
    for target, who, of_job in jobs:
        registers: bool | None = False if of_job and of_job <= _NEVER_REGISTER else None
        # Which job trains which model is not declared: it does not matter where all are trained by the same identity.
        if "training" in of_job and (models.get(target, 0) == 1 or len(training[target]) == 1):
            registers = True
        found.setdefault(target, []).append(_Right(who, registers, promotes=False))
    return found


def _run_as(job: Fact) -> _Identity:
    return _Identity(job.__dict__.get("run_as_kind"), job.__dict__.get("run_as"))


def _owners(model: Fact, securables: Mapping[str, Fact]) -> Iterator[_Right]:
    """The owners of the model, and of the catalog and the schema around it where these are declared beside it."""
    values = model.__dict__
    if values.get("name") is None:
        yield _Right(_Identity(None, None), registers=False, promotes=None)
    parts = (values.get("name") or "").split(".")
    around = [f"{values.get('target')}/{'.'.join(parts[:size])}" for size in (1, 2)]
    for key in (model.key, *around):
        owned = securables.get(key)
        if owned is not None:
            who = _Identity(owned.__dict__.get("owner_kind"), owned.__dict__.get("owner"))
            yield _Right(who, registers=False, promotes=True)


def _granted(grant: Fact) -> _Right:
    values = grant.__dict__
    kind, colon, name = (values.get("principal") or "").partition(":")
    privilege = values.get("privilege")
    registers, promotes = (None, None) if privilege is None else (privilege in _REGISTERS, privilege == "MANAGE")
    return _Right(_Identity(kind, name) if colon else _Identity(None, None), registers, promotes)


def _rows(model: Fact, rights: list[_Right]) -> Iterator[ModelIdentity]:
    """One row for each principal, with what others may do on its behalf: a group that it may be in, or who deploys."""
    seen: set[str] = set()
    for number, right in enumerate(rights):
        name = right.who.key or f"?{number}"
        if name in seen:
            continue
        seen.add(name)
        yield ModelIdentity(
            key=f"{model.key}/{name}",
            project=model.project,
            model=model.key,
            registers=_any((_acts_as(right.who, other.who), other.registers) for other in rights),
            promotes=_any((_acts_as(right.who, other.who), other.promotes) for other in rights),
            origin=model.origin,
        )


def _acts_as(who: _Identity, other: _Identity) -> bool | None:
    """Is it the other, or a member of it? Members of groups, and who deploys, are declared nowhere."""
    if who is other:
        return True
    if not who.known or not other.known:
        return None
    kinds = {who.kind, other.kind}
    if "everyone" in kinds:
        return other.kind == "everyone"
    if who.kind == other.kind and (who.kind == "deployer" or str(who.name).lower() == str(other.name).lower()):
        return True
    if other.kind == "group":
        return None
    return None if "deployer" in kinds and who.kind != "group" else False


def _any(found: Iterable[tuple[bool | None, bool | None]]) -> bool | None:
    """Is one pair true in both? None where that cannot be told."""
    answers = {False if False in pair else None if None in pair else True for pair in found}
    return True if True in answers else None if None in answers else False
