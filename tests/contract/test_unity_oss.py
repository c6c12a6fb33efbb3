"""The local server of open-source Unity Catalog takes nothing that the API does not document, and its official client reads it."""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from tests.contract.unity_oss import Seeds, serve
from tests.contract.unity_oss.seeds import contract
from tests.environments import environment

if TYPE_CHECKING:
    from pathlib import Path

UNITY = "/api/2.1/unity-catalog"
#: A program over the official client, which was generated from the same documents by others.
CLIENT = """
import asyncio, json, sys
from unitycatalog import client as uc

async def main(url, token):
    where = uc.Configuration(host=f"{url}/api/2.1/unity-catalog")
    async with uc.ApiClient(where, header_name="Authorization", header_value=f"Bearer {token}") as api:
        catalogs, mark, pages = [], None, 0
        while mark or not pages:
            page = await uc.CatalogsApi(api).list_catalogs(page_token=mark)
            catalogs, mark, pages = catalogs + [one.name for one in page.catalogs], page.next_page_token, pages + 1
        tables = await uc.TablesApi(api).list_tables(catalog_name="prod", schema_name="raw")
        models = await uc.RegisteredModelsApi(api).list_registered_models(catalog_name="prod", schema_name="raw")
        versions = await uc.ModelVersionsApi(api).list_model_versions("prod.raw.churn")
        grants = await uc.GrantsApi(api).get("table", "prod.raw.orders")
        said = {
            "catalogs": catalogs,
            "pages": pages,
            "tables": [[one.name, one.table_type.value, one.data_source_format.value] for one in tables.tables],
            "models": [one.full_name for one in models.registered_models],
            "versions": [[one.version, one.status.value] for one in versions.model_versions],
            "grants": [[one.principal, [each.value for each in one.privileges]] for one in grants.privilege_assignments],
            "metastore": (await uc.MetastoresApi(api).summary()).metastore_id,
        }
    print(json.dumps(said))

asyncio.run(main(*sys.argv[1:]))
"""


def seeds() -> Seeds:
    found = Seeds()
    for name in ("dev", "prod", "test"):
        found.add("catalog", name)
    found.add("schema", "prod.raw")
    found.add("table", "prod.raw.orders", table_type="MANAGED", data_source_format="DELTA")
    found.add("registered_model", "prod.raw.churn")
    found.version("prod.raw.churn", source="s3://bucket/churn")
    found.user("ann@example.com")
    found.grant("table", "prod.raw.orders", "ann@example.com", "SELECT")
    return found


def status(url: str, token: str = "a-token-of-admin") -> tuple[int, Any]:  # noqa: S107
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as problem:
        with problem:
            return problem.code, json.loads(problem.read())


def test_a_seed_with_what_no_answer_holds_is_refused() -> None:
    with pytest.raises(ValueError, match="no field isolation_mode"):
        seeds().add("catalog", "other", isolation_mode="OPEN")
    with pytest.raises(ValueError, match="is none of"):
        seeds().add("table", "prod.raw.other", table_type="SHALLOW_CLONE")
    with pytest.raises(ValueError, match="is none of"):
        seeds().grant("table", "prod.raw.orders", "ann@example.com", "ALL PRIVILEGES")
    with pytest.raises(TypeError, match="no string"):
        seeds().version("prod.raw.churn", source=7)


@pytest.mark.parametrize("path", [f"{UNITY}/effective-permissions/table/prod.raw.orders", f"{UNITY}/tables?include_browse=true"])
def test_a_question_that_is_not_documented_fails_the_test(path: str) -> None:
    with pytest.raises(AssertionError, match=r"no such operation|no parameter"), serve(seeds()) as server:
        assert status(server.url + path)[0] in (400, 404)


def test_who_is_not_known_is_told_nothing() -> None:
    with serve(seeds()) as server:
        assert status(f"{server.url}{UNITY}/catalogs", "")[0] == 401
        assert status(f"{server.url}{UNITY}/catalogs", "another-token-of-a-test")[0] == 403
        assert status(f"{server.url}{UNITY}/catalogs", "a-token-of-ann@example.com") == (
            200,
            {"catalogs": [], "next_page_token": "prod"},
        ), "an empty page that is not the last"


@pytest.mark.slow
def test_the_official_client_reads_its_answers(tmp_path: Path) -> None:
    programs = environment(tmp_path / "programs", "unitycatalog-client==0.7.0")
    assert contract()["release"] == "v0.6.0"
    with serve(seeds()) as server:
        command = [str(programs / "python"), "-c", CLIENT, server.url, "a-token-of-admin"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout) == {
        "catalogs": ["dev", "prod", "test"],
        "pages": 2,
        "tables": [["orders", "MANAGED", "DELTA"]],
        "models": ["prod.raw.churn"],
        "versions": [[1, "READY"]],
        "grants": [["ann@example.com", ["SELECT"]]],
        "metastore": seeds().metastore,
    }
