from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
import requests
from databricks.sdk.errors import PermissionDenied
from tests.contract import Estate, Pages, faults

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from tests.contract.conftest import Serve

CATALOGS = "/api/2.1/unity-catalog/catalogs"
CATALOG = "/api/2.1/unity-catalog/catalogs/{}"
TABLES = "/api/2.1/unity-catalog/tables"
BARE = Pages(empty=())


def _names(client: WorkspaceClient) -> list[str | None]:
    return [one.name for one in client.catalogs.list()]


def _get(client: WorkspaceClient, url: str, path: str = CATALOGS, **query: Any) -> requests.Response:
    headers = client.config.authenticate()
    return requests.get(f"{url}{path}", headers=headers, params=query, timeout=5)


def test_a_refusal_is_told_as_one(serving: Serve, estate: Estate) -> None:
    server = serving(estate)
    server.faults.add("GET", CATALOGS, faults.refused("USE CATALOG is missing"))
    with pytest.raises(PermissionDenied, match="USE CATALOG is missing"):
        _names(server.client())


def test_too_many_requests_are_tried_again_when_the_server_says(serving: Serve, estate: Estate) -> None:
    server = serving(estate, BARE)
    server.faults.add("GET", CATALOGS, faults.throttled(1), times=1)
    start = time.monotonic()
    assert _names(server.client()) == ["dev", "prod"]
    assert time.monotonic() - start >= 0.9
    assert len(server.asked(CATALOGS)) == 3
    server.faults.add("GET", CATALOGS, faults.throttled(7), times=1)
    refused = _get(server.client(), server.url)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "7")


@pytest.mark.parametrize(
    ("status", "code"),
    [(500, "INTERNAL_ERROR"), (503, "TEMPORARILY_UNAVAILABLE"), (504, "DEADLINE_EXCEEDED"), (502, "BAD_GATEWAY")],
)
def test_the_server_breaks(serving: Serve, estate: Estate, status: int, code: str) -> None:
    server = serving(estate)
    server.faults.add("GET", CATALOGS, faults.broken(status, "BAD_GATEWAY" if status == 502 else None))
    answered = _get(server.client(), server.url)
    assert (answered.status_code, answered.json()["error_code"]) == (status, code)


def test_a_feature_is_switched_off(serving: Serve, estate: Estate) -> None:
    server = serving(estate)
    server.faults.add("GET", CATALOGS, faults.disabled())
    with pytest.raises(Exception, match="This feature is disabled"):
        _names(server.client())


def test_the_connection_is_dropped(serving: Serve, estate: Estate) -> None:
    server = serving(estate)
    server.faults.add("GET", CATALOGS, faults.dropped())
    with pytest.raises(requests.ConnectionError):
        _get(server.client(), server.url)


def test_the_answer_comes_too_late(serving: Serve, estate: Estate) -> None:
    server = serving(estate)
    server.faults.add("GET", CATALOGS, faults.slow(30))
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{server.url}{CATALOGS}", headers=server.client().config.authenticate(), timeout=0.2)


@pytest.mark.parametrize("fault", [faults.truncated(), faults.html()])
def test_the_answer_is_no_json(serving: Serve, estate: Estate, fault: faults.Fault) -> None:
    server = serving(estate)
    server.faults.add("GET", CATALOGS, fault)
    client = server.client()
    answered = _get(client, server.url)
    assert answered.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answered.json()
    with pytest.raises(requests.JSONDecodeError):
        _names(client)


@pytest.mark.parametrize("pages", [Pages(), Pages(size=100, empty=())])
def test_the_same_token_comes_for_ever(serving: Serve, estate: Estate, pages: Pages) -> None:
    server = serving(estate, pages)
    server.faults.add("GET", TABLES, faults.same_token())
    client = server.client()
    query = {"catalog_name": "prod", "schema_name": "sales"}
    first = client.api_client.do("GET", TABLES, query=query)["next_page_token"]
    for _ in range(5):
        body = client.api_client.do("GET", TABLES, query={**query, "page_token": first})
        assert body["next_page_token"] == first


def test_a_job_has_pages_for_ever(serving: Serve, estate: Estate) -> None:
    server = serving(estate)
    server.faults.add("GET", "/api/2.2/jobs/get", faults.same_token())
    client = server.client()
    first = client.api_client.do("GET", "/api/2.2/jobs/get", query={"job_id": 11})["next_page_token"]
    again = client.api_client.do("GET", "/api/2.2/jobs/get", query={"job_id": 11, "page_token": first})
    assert again["next_page_token"] == first


@pytest.mark.parametrize("page", [0, 1, 2])
def test_one_page_is_refused(serving: Serve, estate: Estate, page: int) -> None:
    server = serving(estate, BARE)
    server.faults.add("GET", TABLES, faults.refused(), page=page)
    seen: list[str | None] = []
    with pytest.raises(PermissionDenied):
        seen.extend(one.name for one in server.client().tables.list("prod", "sales"))
    assert len(server.asked(TABLES)) == page + 1
    assert [one.page for one in server.asked(TABLES)] == list(range(page + 1))


def test_a_page_of_people_is_refused(serving: Serve, estate: Estate) -> None:
    server = serving(estate)
    path = "/api/2.0/preview/scim/v2/Users"
    server.faults.add("GET", path, faults.refused(), page=1)
    client = server.client()
    assert client.api_client.do("GET", path, query={"startIndex": 1, "count": 2})["itemsPerPage"] == 2
    with pytest.raises(PermissionDenied):
        client.api_client.do("GET", path, query={"startIndex": 3, "count": 2})


def test_the_nth_request_or_one_object_or_one_asker(serving: Serve, estate: Estate) -> None:
    server = serving(estate)
    client = server.client()
    server.faults.add("GET", CATALOG, faults.refused("second"), nth=2)
    server.faults.add("GET", "/api/2.1/unity-catalog/catalogs/dev", faults.refused("dev"), nth=3)
    server.faults.add("GET", CATALOG, faults.refused("auditor"), when=lambda asked: asked.principal == "auditor@example.com")
    assert client.catalogs.get("prod").name == "prod"
    with pytest.raises(PermissionDenied, match="second"):
        client.catalogs.get("prod")
    assert client.catalogs.get("dev").name == client.catalogs.get("dev").name
    with pytest.raises(PermissionDenied, match="dev"):
        client.catalogs.get("dev")
    with pytest.raises(PermissionDenied, match="auditor"):
        server.client(estate.principals["auditor@example.com"]).catalogs.get("prod")
    assert client.catalogs.get("dev").name == "dev"
    assert server.faults.unused == []


def test_a_fault_that_never_happened_is_told(serving: Serve, estate: Estate) -> None:
    server = serving(estate)
    server.faults.add("GET", CATALOGS, faults.refused(), nth=3)
    server.client().catalogs.get("dev")
    assert server.faults.unused == [f"GET {CATALOGS}"]
    server.faults.clear()
    assert server.faults.unused == []


def test_the_first_contact_can_fail_too(serving: Serve, estate: Estate) -> None:
    server = serving(estate)
    server.faults.add("GET", "/.well-known/databricks-config", faults.broken(500))
    assert requests.get(f"{server.url}/.well-known/databricks-config", timeout=5).status_code == 500
