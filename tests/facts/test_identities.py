from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lakewarden.facts.fact import TABLES, Fact
from lakewarden.facts.gaps import Gap
from lakewarden.facts.identities import model_identities
from lakewarden.facts.model.identity import EffectiveGrant, Securable
from lakewarden.facts.model.registry import Model
from lakewarden.facts.model.workloads import Job, Task

if TYPE_CHECKING:
    from collections.abc import Iterable

_MODEL = "p/prod/registered_models.m"


def _model(key: str = _MODEL) -> Model:
    return Model(key=key, project="p", name="prod.ml.m", catalog="prod", target="p/prod", registry="unity_catalog")


def _owned(kind: str | None, name: str | None, key: str = _MODEL) -> Securable:
    return Securable(key=key, project="p", owner=name, owner_kind=kind)


def _job(key: str, kind: str | None, name: str | None, *roles: str) -> list[Fact]:
    tasks = [Task(key=f"{key}/{n}", project="p", job=key, project_key="p", role=role) for n, role in enumerate(roles)]
    return [Job(key=key, project="p", target="p/prod", run_as_kind=kind, run_as=name), *tasks]


def _granted(principal: str | None, privilege: str | None) -> EffectiveGrant:
    return EffectiveGrant(key=f"{principal}{privilege}", project="p", securable=_MODEL, principal=principal, privilege=privilege)


def _read(rows: Iterable[Fact]) -> tuple[dict[str, tuple[Any, Any]], list[Gap]]:
    of_table: dict[str, list[Fact]] = {name: [] for name in TABLES}
    for row in rows:
        of_table[row.table].append(row)
    found = list(model_identities(of_table))
    identities = [row for row in found if isinstance(row, Fact)]
    told = {row.key.removeprefix(f"{_MODEL}/"): (row.__dict__["registers"], row.__dict__["promotes"]) for row in identities}
    assert len(told) == len(identities)
    return told, [row for row in found if isinstance(row, Gap)]


_TRAINS = _job("p/prod/jobs.t", "service_principal", "train", "feature", "training")


@pytest.mark.parametrize(
    ("owner", "expected"),
    [
        (("service_principal", "train"), (True, True)),
        (("service_principal", "TRAIN"), (True, True)),
        (("service_principal", "other"), (True, False)),
        (("user", "train"), (True, False)),
        (("everyone", "account users"), (True, True)),
        (("group", "promoters"), (True, None)),
        (("deployer", "deployer"), (True, None)),
        ((None, None), (True, None)),
        (("user", "${workspace.current_user.userName}"), (True, None)),
    ],
)
def test_may_who_trains_promote(owner: tuple[str | None, str | None], expected: tuple[Any, Any]) -> None:
    told, gaps = _read([_model(), _owned(*owner), *_TRAINS])
    assert told["service_principal:train"] == expected
    assert gaps == []


def test_who_deploys_trains_and_owns() -> None:
    told, _ = _read([_model(), _owned("deployer", "deployer"), *_job("j", "deployer", "none", "training")])
    assert told == {"deployer": (True, True)}


def test_an_owner_of_the_schema_may_promote_too() -> None:
    around = _owned("service_principal", "train", "p/prod/prod.ml")
    told, _ = _read([_model(), _owned("service_principal", "other"), around, *_TRAINS])
    assert told["service_principal:train"] == (True, True)


@pytest.mark.parametrize(
    ("principal", "privilege", "expected"),
    [
        ("service_principal:train", "MANAGE", (True, True)),
        ("service_principal:train", "ALL_PRIVILEGES", (True, False)),
        ("service_principal:train", None, (True, None)),
        ("group:promoters", "MANAGE", (True, None)),
        ("group:promoters", "EXECUTE", (True, False)),
        (None, "MANAGE", (True, None)),
    ],
)
def test_grants_count(principal: str | None, privilege: str | None, expected: tuple[Any, Any]) -> None:
    told, _ = _read([_model(), _owned("service_principal", "other"), *_TRAINS, _granted(principal, privilege)])
    assert told["service_principal:train"] == expected


def test_a_job_that_only_promotes_registers_nothing() -> None:
    promotes = _job("p/prod/jobs.p", "service_principal", "promote", "validation", "deployment")
    told, _ = _read([_model(), _owned("service_principal", "promote"), *_TRAINS, *promotes])
    assert told == {"service_principal:train": (True, False), "service_principal:promote": (False, True)}


def test_which_of_two_training_jobs_trains_which_of_two_models_is_not_known() -> None:
    second = _job("p/prod/jobs.u", "service_principal", "other", "training")
    rows = [_model(), _model("p/prod/registered_models.n"), _owned("service_principal", "owner"), *_TRAINS, *second]
    told, gaps = _read(rows)
    assert told["service_principal:train"] == (None, False)
    assert told["?"] == (True, None)
    assert len(gaps) == 2


def test_a_model_without_a_training_job_is_registered_by_somebody() -> None:
    told, gaps = _read([_model(), _owned("service_principal", "other"), *_job("j", "service_principal", "other", "inference")])
    assert told == {"service_principal:other": (False, True), "?": (True, None)}
    assert [gap.value for gap in gaps] == [True]


def _separate(rows: Iterable[Fact]) -> bool | None:
    """What the rule makes of it: is there nobody who registers and promotes?"""
    answers = [False if False in both else None if None in both else True for both in _read(rows)[0].values()]
    return False if True in answers else None if None in answers else True


_ESTATES: list[tuple[bool | None, list[Fact]]] = [
    (
        True,
        [_model(), _owned("service_principal", "other"), *_TRAINS, _granted("service_principal:train", "CREATE_MODEL_VERSION")],
    ),
    (False, [_model(), _owned("service_principal", "other"), *_TRAINS, _granted("service_principal:train", "MANAGE")]),
    (False, [_model(), _owned("service_principal", "train"), *_TRAINS, *_job("j", "service_principal", "other", "training")]),
    (True, [_model(), _owned("user", "ann"), _owned("user", "ann", "p/prod/prod.ml"), *_TRAINS]),
]


@pytest.mark.parametrize(("expected", "rows"), _ESTATES)
def test_hiding_a_value_never_changes_the_answer_but_to_unknown(expected: bool | None, rows: list[Fact]) -> None:
    assert _separate(rows) is expected
    for row in rows:
        for name, value in row.__dict__.items():
            if name not in ("key", "project", "job", "project_key", "securable", "registry") and value is not None:
                hidden = [type(row)(**{**row.__dict__, name: None}) if other is row else other for other in rows]
                assert _separate(hidden) in (expected, None), (row.key, name)


def test_models_of_the_workspace_registry_have_no_identities() -> None:
    assert _read([Model(key="p/prod/models.m", project="p", target="p/prod", registry="workspace"), *_TRAINS]) == ({}, [])
