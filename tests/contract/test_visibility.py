from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from databricks.sdk.errors import PermissionDenied
from tests.contract import Estate, Pages, Principal, Server, serve
from tests.contract.small import JOBS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.conftest import Serve

WHOLE = Pages(size=1000, empty=())
RAW_ORDERS = ("table", "prod.sales.raw_orders")


@pytest.fixture(scope="module")
def server(estate: Estate) -> Iterator[Server]:
    with serve(estate, WHOLE) as server:
        yield server


def _as(server: Server, name: str) -> Any:
    return server.client(server.estate.principals[name])


def _granted(server: Server, name: str) -> list[tuple[str | None, int]]:
    body = _as(server, name).api_client.do("GET", "/api/2.1/unity-catalog/permissions/table/prod.sales.raw_orders")
    return sorted(
        (row.get("principal"), len(row["privileges"])) for row in body.get("privilege_assignments", []) if "principal" in row
    )


def test_no_token_is_401_and_a_wrong_one_403(server: Server) -> None:
    import requests

    with pytest.raises(PermissionDenied, match="Invalid access token"):
        server.client(Principal("nobody", "wrong")).current_user.me()
    assert requests.get(f"{server.url}/api/2.0/preview/scim/v2/Me", timeout=5).status_code == 401


def test_lists_hold_what_the_asker_may_use(server: Server) -> None:
    assert [one.name for one in _as(server, "ana@example.com").catalogs.list()] == ["dev", "prod"]
    assert [one.name for one in _as(server, "guest@example.com").catalogs.list()] == []
    assert [one.name for one in _as(server, "ana@example.com").tables.list("prod", "sales")] == ["raw_orders"]
    assert len(list(_as(server, JOBS).tables.list("prod", "sales"))) == 5
    assert [one.full_name for one in _as(server, JOBS).registered_models.list()] == ["prod.ml.churn"]
    assert list(_as(server, "ana@example.com").external_locations.list()) == []


def test_objects_that_may_not_be_used_are_refused_one_by_one(server: Server) -> None:
    with pytest.raises(PermissionDenied):
        _as(server, "ana@example.com").tables.get("prod.sales.labels")
    with pytest.raises(PermissionDenied):
        _as(server, "guest@example.com").catalogs.get("prod")


@pytest.mark.parametrize(("above", "seen"), [([], []), (["USE_CATALOG"], []), (["USE_CATALOG", "USE_SCHEMA"], ["orders"])])
def test_a_table_is_seen_by_who_may_use_what_it_is_in(serving: Serve, above: list[str], seen: list[str]) -> None:
    estate = Estate(complete=True)
    ana = estate.user("ana@example.com")
    estate.catalog("prod")
    estate.schema("prod.sales")
    estate.table("prod.sales.orders")
    estate.grant("table", "prod.sales.orders", ana.name, ["SELECT"])
    if above:
        estate.grant("catalog", "prod", ana.name, above)
    assert [one.name for one in serving(estate, WHOLE).client(ana).tables.list("prod", "sales")] == seen


def test_grants_without_rights_are_ones_own_with_200(server: Server) -> None:
    assert _granted(server, "admin@example.com") == [("ana@example.com", 1), ("data-scientists", 1), ("platform", 1)]
    assert _granted(server, "ana@example.com") == [("ana@example.com", 1), ("data-scientists", 1)]
    assert _granted(server, "guest@example.com") == []


def test_read_metadata_on_the_metastore_reads_all_grants(server: Server) -> None:
    assert len(_granted(server, "auditor@example.com")) == 3


@pytest.mark.parametrize("right", ["MANAGE", "READ_METADATA", "owner", "owner of the catalog", "metastore admin", "SELECT"])
def test_what_makes_grants_readable(serving: Serve, right: str) -> None:
    estate = Estate(complete=True)
    ana = estate.user("ana@example.com", metastore_admin=right == "metastore admin")
    estate.catalog("prod", owner="ana@example.com" if right == "owner of the catalog" else estate.admin.name)
    estate.schema("prod.sales")
    estate.table("prod.sales.orders", owner="ana@example.com" if right == "owner" else estate.admin.name)
    estate.grant("table", "prod.sales.orders", "others", ["SELECT"])
    if right.isupper():
        estate.grant("schema", "prod.sales", "ana@example.com", [right])
    server = serving(estate, WHOLE)
    found = server.client(ana).grants.get("table", "prod.sales.orders").privilege_assignments or []
    assert [one.principal for one in found] == ([] if right == "SELECT" else ["others"])
    own = server.client(ana).grants.get_effective("table", "prod.sales.orders", principal="ana@example.com")
    told = {level.privilege.value for one in own.privilege_assignments or () for level in one.privileges or () if level.privilege}
    # What makes them readable shows in effective grants only when it was granted: ownership and adminship do not.
    assert told == ({right} if right.isupper() else set())


def test_browse_shows_names_and_no_grants(server: Server) -> None:
    guest = _as(server, "guest@example.com")
    assert list(guest.tables.list("prod", "sales")) == []
    (seen,) = guest.tables.list("prod", "sales", include_browse=True)
    assert (seen.name, seen.browse_only, seen.owner, seen.data_source_format) == ("orders", True, None, None)
    assert guest.tables.get("prod.sales.orders", include_browse=True).browse_only
    with pytest.raises(PermissionDenied):
        guest.tables.get("prod.sales.orders")


def test_a_catalog_of_another_workspace_looks_deleted(server: Server) -> None:
    admin = server.client()
    assert "elsewhere" not in [one.name for one in admin.catalogs.list()]
    assert "elsewhere" in [one.name for one in admin.catalogs.list(include_unbound=True)]
    assert "elsewhere" not in [one.name for one in _as(server, "ana@example.com").catalogs.list(include_unbound=True)]
    with pytest.raises(PermissionDenied, match="not accessible in current workspace"):
        admin.catalogs.get("elsewhere")
    with pytest.raises(PermissionDenied, match="not accessible in current workspace"):
        list(admin.schemas.list("elsewhere"))


def test_bindings_are_for_who_manages_the_catalog(server: Server) -> None:
    assert len(list(server.client().workspace_bindings.get_bindings("catalog", "elsewhere"))) == 1
    with pytest.raises(PermissionDenied):
        list(_as(server, "ana@example.com").workspace_bindings.get_bindings("catalog", "prod"))


def test_objects_of_the_workspace_are_for_who_is_on_their_list(server: Server) -> None:
    ana = _as(server, "ana@example.com")
    assert [one.job_id for one in ana.jobs.list()] == [12]
    assert [one.run_id for one in ana.jobs.list_runs()] == [502]
    assert ana.permissions.get("jobs", "12").access_control_list
    for call, argument in ((ana.jobs.get, 11), (ana.jobs.get_run, 501), (partial(ana.permissions.get, "jobs"), "11")):
        with pytest.raises(PermissionDenied):
            call(argument)
    assert [one.job_id for one in _as(server, "auditor@example.com").jobs.list()] == [11, 12, 13]
    # Through the nested group: CAN_QUERY shows the endpoint, and does not show who else may.
    assert {one.name for one in ana.serving_endpoints.list()} == {"churn", "databricks-llama"}
    with pytest.raises(PermissionDenied):
        ana.permissions.get("serving-endpoints", "e-1")
    assert list(ana.experiments.list_experiments()) == []
    with pytest.raises(PermissionDenied):
        ana.experiments.get_run("run-1")


def test_only_admins_see_who_is_in_a_group(server: Server) -> None:
    def members(name: str) -> dict[str | None, int]:
        return {one.display_name: len(one.members or ()) for one in _as(server, name).groups.list()}

    assert members("auditor@example.com") == {"juniors": 1, "data-scientists": 2, "platform": 1}
    assert members("ana@example.com") == {"juniors": 0, "data-scientists": 0, "platform": 0}


def test_grants_of_deleted_principals_may_have_to_be_asked_for(serving: Serve) -> None:
    estate = Estate(complete=True)
    estate.deleted_principals_on_request = True
    estate.catalog("prod")
    estate.grant("catalog", "prod", None, ["USE_CATALOG"], principal_id=42)
    client = serving(estate, WHOLE).client()
    path = "/api/2.1/unity-catalog/permissions/catalog/prod"
    assert client.api_client.do("GET", path) == {}
    told = client.api_client.do("GET", path, query={"include_deleted_principals": "true"})
    assert told == {"privilege_assignments": [{"principal_id": 42, "privileges": ["USE_CATALOG"]}]}


@pytest.mark.parametrize("name", ["SecurableType.CATALOG", "CATALOG", "registered_model", "model"])
def test_only_the_types_that_the_service_knows_are_taken(server: Server, name: str) -> None:
    with pytest.raises(Exception, match="Invalid securable type"):
        server.client().grants.get(name, "prod")


def test_what_is_not_there_has_no_grants_to_show(server: Server) -> None:
    with pytest.raises(Exception, match="does not exist"):
        server.client().grants.get("table", "prod.sales.no_such_table")
