from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import pytest
from tests.contract import Pages, realistic, serve

if TYPE_CHECKING:
    from tests.contract.conftest import Serve

WIDE = Pages(size=1000, empty=())


def test_every_table_comes_once(serving: Serve) -> None:
    server = serving(realistic(tables=301, models=12), WIDE)
    client = server.client()
    found = [
        table.full_name
        for catalog in client.catalogs.list()
        for schema in client.schemas.list(catalog.name or "")
        for table in client.tables.list(catalog.name or "", schema.name or "")
    ]
    assert len(found) == len(set(found)) == 301
    assert len(server.asked("/api/2.1/unity-catalog/tables")) == 60
    assert client.tables.get(found[7] or "").full_name == found[7]
    assert len(list(client.registered_models.list())) == 12
    assert any(page for page in client.grants.list("table", found[0] or ""))


def test_the_same_seed_is_the_same_estate() -> None:
    one, same, other = (realistic(seed, tables=60, models=6) for seed in (1, 1, 2))
    assert one.grants == same.grants
    assert [dict(row) for row in one.all("tables")] == [dict(row) for row in same.all("tables")]
    assert one.grants != other.grants


def test_a_large_estate_is_made_while_it_is_read() -> None:
    tracemalloc.start()
    try:
        estate = realistic(tables=20_000, models=3)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(estate.all("tables")) == 20_000
    assert held < 20 * 2**20


@pytest.mark.slow
def test_twenty_thousand_tables_are_served() -> None:
    with serve(realistic(tables=20_000, models=3), WIDE) as server:
        client = server.client(timeout=30)
        names = [
            (catalog.name or "", schema.name or "")
            for catalog in client.catalogs.list()
            for schema in client.schemas.list(catalog.name or "")
        ]
        assert sum(1 for catalog, schema in names for _ in client.tables.list(catalog, schema)) == 20_000
        assert len(server.asked()) < 100
