"""A large estate of realistic shape, made while it is read: nothing of it is kept."""

from __future__ import annotations

import random
from functools import partial

from tests.contract.estate import Estate, table_row
from tests.contract.seeds import checked
from tests.contract.store import NOW, Json, Made

_STAGES = ("dev", "staging", "prod")
_SCHEMAS = 20
# So many remain of the number of a feature table, by five: none of those that have grants.
_FEATURES = 3
_FORMATS = ("DELTA",) * 47 + ("PARQUET", "CSV", "DELTA")
_DOMAINS = ("sales", "risk", "churn", "pricing", "supply")


def realistic(seed: int = 0, *, tables: int = 1000, models: int = 50, workspace_id: int = 1111111111111111) -> Estate:
    """Three catalogs of twenty schemas; two thirds of the tables in production; a grant on one table in ten; one in five is named
    for features, and half of all have a primary key.
    """
    estate = Estate(workspace_id=workspace_id, complete=True)
    shape = random.Random(seed)  # noqa: S311 an estate, not a secret
    readers = ["analysts", *(f"team-{domain}" for domain in _DOMAINS)]
    people = [f"person{number}@example.com" for number in range(20)]
    for person in people:
        estate.user(person)
    estate.service_principal("prod-jobs", "00000000-0000-0000-0000-000000000001")
    for group in readers:
        estate.group(group, shape.sample(people, 5))
    names = [f"{shape.choice(_DOMAINS)}_{number}" for number in range(_SCHEMAS)]
    for stage in _STAGES:
        estate.catalog(stage, isolation_mode="ISOLATED", bindings=[workspace_id], owner=f"{stage}-owners")
        estate.grant("catalog", stage, "analysts", ["USE_CATALOG", "USE_SCHEMA"])
        share = {"prod": tables * 4 // 6, "staging": tables // 6}.get(stage, tables - tables * 4 // 6 - tables // 6)
        for number, name in enumerate(names):
            schema = f"{stage}.{name}"
            estate.schema(schema, owner=f"{stage}-owners")
            estate.grant("schema", schema, f"team-{name.split('_')[0]}", ["USE_SCHEMA", "SELECT"])
            count = share // _SCHEMAS + (number < share % _SCHEMAS)
            _fill(estate, schema, count, seed)
            for index in range(0, count, 10):
                estate.grant("table", f"{schema}.table_{index}", shape.choice(people), ["SELECT"])
    _models(estate, names, models, shape)
    return estate


def _fill(estate: Estate, schema: str, count: int, seed: int) -> None:
    if count:
        checked("catalog.TableInfo", _table(estate, schema, seed, 0))
    estate.make("tables", schema, Made(count, partial(_table, estate, schema, seed), _number))


def _table(estate: Estate, schema: str, seed: int, number: int) -> Json:
    chosen = random.Random(f"{seed}:{schema}:{number}")  # noqa: S311 see above
    owner = chosen.choice((f"{schema.partition('.')[0]}-owners", "person1@example.com"))
    name, columns = f"{schema}.{_kind(number)}_{number}", [f"column_{at}" for at in range(chosen.randint(3, 12))]
    keys = ["column_0"] if chosen.random() < 0.5 else []
    return table_row(estate, name, owner=owner, format=chosen.choice(_FORMATS), table_type="MANAGED", keys=keys, columns=columns)


def _number(name: str) -> int | None:
    kind, _, number = name.rpartition(".")[2].partition("_")
    return int(number) if number.isdecimal() and kind == _kind(int(number)) else None


def _kind(number: int) -> str:
    return "features" if number % 5 == _FEATURES else "table"


def _models(estate: Estate, names: list[str], count: int, shape: random.Random) -> None:
    estate.experiment("1", "/Shared/experiment")
    for number in range(count):
        stage = _STAGES[number % len(_STAGES)]
        name = f"{stage}.{names[number % _SCHEMAS]}.model_{number}"
        runs = [f"run-{number}-{at}" for at in range(shape.randint(1, 5))]
        for run in runs:
            estate.run(run, "1", params={"depth": "3"}, metrics={"auc": 0.9}, start_time=NOW + number)
        versions = [
            {"run_id": run, "run_workspace_id": estate.workspace_id, "source": f"dbfs:/mlflow/1/{run}/artifacts/model"}
            for run in runs
        ]
        estate.model(name, versions=versions, aliases={"champion": len(runs)}, owner=f"{stage}-owners")
