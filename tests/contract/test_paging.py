from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from tests.contract import Estate, Pages

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from tests.contract.conftest import Serve

TABLES = "/api/2.1/unity-catalog/tables"
GRANTS = "/api/2.1/unity-catalog/permissions/table/prod.sales.raw_orders"
IN_SALES = {"catalog_name": "prod", "schema_name": "sales"}


def _pages(client: WorkspaceClient, path: str, cursor: str = "page_token", **query: Any) -> list[Any]:
    pages = [client.api_client.do("GET", path, query=query)]
    while "next_page_token" in pages[-1]:
        pages.append(client.api_client.do("GET", path, query={**query, cursor: pages[-1]["next_page_token"]}))
    return pages


def test_a_list_comes_by_two_after_an_empty_page(serving: Serve, estate: Estate) -> None:
    pages = _pages(serving(estate).client(), TABLES, **IN_SALES)
    assert [len(page.get("tables", [])) for page in pages] == [0, 2, 2, 1]


def test_any_page_can_be_empty_and_go_on(serving: Serve, estate: Estate) -> None:
    pages = _pages(serving(estate, Pages(empty=(1, 2))).client(), TABLES, **IN_SALES)
    assert [len(page.get("tables", [])) for page in pages] == [2, 0, 0, 2, 1]


def test_pages_are_as_large_as_the_server_likes(serving: Serve, estate: Estate) -> None:
    client = serving(estate, Pages(size=3, empty=())).client()
    assert [len(page["tables"]) for page in _pages(client, TABLES, **IN_SALES)] == [3, 2]
    assert [len(page["tables"]) for page in _pages(client, TABLES, max_results=1, **IN_SALES)] == [1] * 5
    assert [len(page["tables"]) for page in _pages(client, TABLES, max_results=50, **IN_SALES)] == [3, 2]


def test_a_token_is_for_one_list_and_one_asker(serving: Serve, estate: Estate) -> None:
    server = serving(estate)
    client = server.client()
    token = client.api_client.do("GET", TABLES, query=IN_SALES)["next_page_token"]
    for wrong in ({**IN_SALES, "page_token": "made-up"}, {"catalog_name": "dev", "schema_name": "sales", "page_token": token}):
        with pytest.raises(Exception, match="Invalid page token"):
            client.api_client.do("GET", TABLES, query=wrong)
    with pytest.raises(Exception, match="Invalid page token"):
        server.client(estate.principals["auditor@example.com"]).api_client.do(
            "GET", TABLES, query={**IN_SALES, "page_token": token}
        )


def test_less_than_nothing_is_refused(serving: Serve, estate: Estate) -> None:
    with pytest.raises(Exception, match="out of range"):
        serving(estate).client().api_client.do("GET", TABLES, query={**IN_SALES, "max_results": -1})


@pytest.mark.parametrize("asked", [1, 149])
def test_grants_refuse_pages_that_are_too_small(serving: Serve, estate: Estate, asked: int) -> None:
    client = serving(estate).client()
    with pytest.raises(Exception, match="out of range"):
        client.grants.get("table", "prod.sales.raw_orders", max_results=asked)
    with pytest.raises(Exception, match="out of range"):
        list(client.grants.list("table", "prod.sales.raw_orders", page_size=asked))


def test_one_call_for_grants_is_one_page(serving: Serve, estate: Estate) -> None:
    client = serving(estate, Pages(empty=())).client()
    first = client.grants.get("table", "prod.sales.raw_orders", max_results=0)
    assert len(first.privilege_assignments or ()) == 2
    assert first.next_page_token


def test_grants_have_no_order_but_all_come_once(serving: Serve, estate: Estate) -> None:
    client = serving(estate, Pages(empty=())).client()

    def order() -> list[str]:
        return [str(row) for page in _pages(client, GRANTS) for row in page["privilege_assignments"]]

    orders = [order() for _ in range(8)]
    assert {frozenset(one) for one in orders} == {frozenset(orders[0])}
    assert {len(one) for one in orders} == {4}
    assert any(one != other for one, other in pairwise(orders))


def test_scim_pages_by_index_and_gives_fewer_than_asked_for(serving: Serve, estate: Estate) -> None:
    client = serving(estate).client()
    path = "/api/2.0/preview/scim/v2/Users"
    first = client.api_client.do("GET", path, query={"startIndex": 1, "count": 100})
    assert (first["totalResults"], first["itemsPerPage"], len(first["Resources"])) == (4, 2, 2)
    last = client.api_client.do("GET", path, query={"startIndex": 5, "count": 100})
    assert (last["totalResults"], "Resources" in last) == (4, False)


def test_tasks_of_a_job_come_in_pages_and_lists_cut_them(serving: Serve, estate: Estate) -> None:
    client = serving(estate, Pages(empty=())).client()
    pages = _pages(client, "/api/2.2/jobs/get", job_id=11)
    assert [len(page["settings"].get("tasks", [])) for page in pages] == [2, 1]
    listed = client.api_client.do("GET", "/api/2.2/jobs/list", query={"expand_tasks": "true"})
    assert (listed["has_more"], listed["jobs"][0]["has_more"], len(listed["jobs"][0]["settings"]["tasks"])) == (True, True, 2)
    runs = _pages(client, "/api/2.2/jobs/runs/get", run_id=501)
    assert [len(page.get("tasks", [])) for page in runs] == [2, 1]


@pytest.mark.parametrize(("path", "limit"), [("/api/2.2/jobs/list", 101), ("/api/2.2/jobs/runs/list", 26)])
def test_jobs_refuse_pages_that_are_too_large(serving: Serve, estate: Estate, path: str, limit: int) -> None:
    with pytest.raises(Exception, match="out of range"):
        serving(estate).client().api_client.do("GET", path, query={"limit": limit})


def test_what_may_not_be_seen_leaves_short_pages(serving: Serve) -> None:
    estate = Estate()
    ana = estate.user("ana@example.com")
    for number in range(6):
        estate.catalog(f"c{number}", owner="ana@example.com" if number == 5 else estate.admin.name)
    pages = _pages(serving(estate, Pages(empty=())).client(ana), "/api/2.1/unity-catalog/catalogs")
    assert [[row["name"] for row in page.get("catalogs", [])] for page in pages] == [[], [], ["c5"]]


def test_repos_call_their_token_next_page_token(serving: Serve) -> None:
    estate = Estate()
    for number in range(3):
        estate.repo(number, f"/Repos/a/{number}", "https://github.com/acme/churn")
    pages = _pages(serving(estate, Pages(empty=())).client(), "/api/2.0/repos", cursor="next_page_token")
    assert [len(page["repos"]) for page in pages] == [2, 1]
