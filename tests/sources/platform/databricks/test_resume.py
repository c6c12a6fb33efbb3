"""A reading that is broken off and gone on with: the same facts as one without a break, for about as many requests."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from tests.contract import faults, realistic, serve
from tests.contract.small import small

from lakewarden.facts import snapshot
from lakewarden.facts.fact import TABLES
from lakewarden.sources.platform.audit import Asked, collect, filled_by_collectors
from lakewarden.sources.platform.wire import http
from lakewarden.sources.platform.wire.api import Api
from lakewarden.sources.platform.wire.limiter import Limiter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.contract import Estate, Principal, Server

    from lakewarden.facts.collect import Facts
    from lakewarden.sources.platform.wire.exchange import Request

UNITY = "/api/2.1/unity-catalog"
SCHEMAS, LISTED, MODEL = f"{UNITY}/schemas", f"{UNITY}/tables", f"{UNITY}/models/"
BINDINGS, GRANTS = f"{UNITY}/bindings/", f"{UNITY}/permissions/"
WANTED = filled_by_collectors()
#: What is asked in both parts: who the auditor is, principals, lists over the metastore, and what was under way at the break.
_MORE = 100


def large() -> Estate:
    """Sixty schemas of three catalogs, all of which the auditor sees."""
    estate = realistic(tables=200, models=10)
    estate.metastore_owner = estate.admin.name
    return estate


def interrupt(patch: pytest.MonkeyPatch, path: str, nth: int) -> None:
    """Ctrl-C at the nth request whose path begins so."""
    ask, count = Api.ask, itertools.count(1)

    def asked(api: Api, request: Request, **more: Any) -> Any:
        if request.path.startswith(path) and next(count) == nth:
            raise KeyboardInterrupt
        return ask(api, request, **more)

    patch.setattr(Api, "ask", asked)


def read(server: Server, before: Facts | None = None, who: Principal | None = None) -> tuple[Facts, str]:
    token = (who or server.estate.admin).token
    limits = Limiter(sleep=lambda _seconds: None)
    asked = Asked(server.url, lambda: http.connect(server.url, token=token, limits=limits))
    found = collect([asked], WANTED, before=before, keep_partial=True)
    return found.facts, found.partial


def broken_off(server: Server, folder: Path, path: str, nth: int, who: Principal | None = None) -> Facts:
    """The facts as a snapshot holds them."""
    with pytest.MonkeyPatch.context() as patch:
        interrupt(patch, path, nth)
        facts, partial = read(server, who=who)
    assert partial
    return stored(folder / "part.snap", facts)


def stored(file: Path, facts: Facts) -> Facts:
    snapshot.write(file, snapshot.Header("1", (), "", "", (), (), {}), facts)
    return snapshot.read(file).facts


def told(facts: Facts) -> dict[str, list[str]]:
    """All that stands in a snapshot, but when it was read."""
    rows = [snapshot.row_record(row) for name in TABLES for row in facts.rows[name]]
    gaps = [gap._replace(origin=gap.origin and gap.origin._replace(time=None)) for gap in facts.gaps]
    return {
        "rows": sorted(str([*row, origin and origin[0]]) for *row, origin in rows),
        "lists": sorted(map(str, facts.complete)),
        "gaps": sorted(map(str, gaps)),
        "otherwise": sorted(map(str, facts.unlisted.values())),
    }


def listed(server: Server) -> Counter[str]:
    """How often the tables of each schema were asked for."""
    return Counter(f"{one.query['catalog_name']}.{one.query['schema_name']}" for one in server.asked(LISTED) if not one.page)


def whole(facts: Facts, table: str) -> set[str]:
    """The names of those whose list was read to its end."""
    return {str(scope.parent).partition("/")[2] for name, _, scope in facts.complete if name == table}


@pytest.mark.parametrize("make", [small, large])
@pytest.mark.parametrize(("path", "nth"), [(SCHEMAS, 2), (LISTED, 3), (BINDINGS, 2), (GRANTS, 4), (GRANTS, 14), (MODEL, 1)])
def test_going_on_gives_the_facts_of_one_reading(tmp_path: Path, make: Callable[[], Estate], path: str, nth: int) -> None:
    with serve(make()) as server:
        once = stored(tmp_path / "once.snap", read(server)[0])
        alone = len(server.asked())
        server.log.clear()
        part = broken_off(server, tmp_path, path, nth)
        facts, partial = read(server, part)
        both, tables = len(server.asked()), listed(server)
    assert not partial
    assert told(stored(tmp_path / "whole.snap", facts)) == told(once)
    assert {tables[schema] for schema in whole(part, "catalog_tables") & tables.keys()} <= {1}
    assert both <= alone + _MORE


def test_keys_that_were_not_read_yet_are_read_of_tables_that_are_not_listed_again(tmp_path: Path) -> None:
    with serve(small()) as server:
        once = stored(tmp_path / "once.snap", read(server)[0])
        server.log.clear()
        part = broken_off(server, tmp_path, f"{LISTED}/", 1)
        assert "prod.sales" in whole(part, "catalog_tables")
        assert not part.rows["table_keys"]
        facts, _ = read(server, part)
        assert listed(server)["prod.sales"] == 1
    assert told(stored(tmp_path / "whole.snap", facts)) == told(once)
    assert facts.rows["table_keys"]


def test_a_list_that_was_refused_is_read_again(tmp_path: Path) -> None:
    refused = ["prod.sales"]
    with serve(small()) as server:
        once = stored(tmp_path / "once.snap", read(server)[0])
        server.log.clear()
        server.faults.add(
            "GET", LISTED, faults.refused(), when=lambda one: f"{one.query['catalog_name']}.{one.query['schema_name']}" in refused
        )
        part = broken_off(server, tmp_path, GRANTS, 1)
        assert "prod.sales" not in whole(part, "catalog_tables")
        refused.clear()
        facts, _ = read(server, part)
        assert {name: listed(server)[name] for name in ("prod.sales", "prod.ml")} == {"prod.sales": 2, "prod.ml": 1}
    assert told(stored(tmp_path / "whole.snap", facts)) == told(once)


def test_an_owner_sees_all_grants_although_those_of_what_he_owns_are_not_asked_again(tmp_path: Path) -> None:
    estate = small()
    estate.catalog("owned", owner="auditor@example.com")
    estate.schema("owned.ml", owner="ana@example.com")
    for number in range(4):
        estate.table(f"owned.ml.table_{number}", owner="ana@example.com")
    who = estate.principals["auditor@example.com"]
    path = f"{GRANTS}table/owned.ml.table_3"
    with serve(estate) as server:
        once = stored(tmp_path / "once.snap", read(server, who=who)[0])
        part = broken_off(server, tmp_path, path, 1, who)
        assert {"owned", "owned.ml"} <= whole(part, "grants")
        server.log.clear()
        facts, _ = read(server, part, who)
    assert told(stored(tmp_path / "whole.snap", facts)) == told(once)
    assert not [one for one in server.log if "/effective-permissions/" in one.path and "owned" in one.path]
