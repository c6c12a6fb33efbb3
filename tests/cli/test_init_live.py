"""`init --workspace` writes down what workspaces show, says what it could not see, and asks nobody without a terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from tests.contract import faults, serve
from tests.contract.small import small
from tests.running import Ran, commit, lakewarden, write

from lakewarden.policy.load import load

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found,unused-ignore]

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract import Server

JOBS = "00000000-0000-0000-0000-0000000000aa"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    write(tmp_path, {"databricks.yml": "bundle: {name: churn}\ntargets: {prod: {mode: production}}\n"})
    commit(tmp_path)
    return tmp_path


def init(folder: Path, server: Server, *arguments: str) -> Ran:
    return lakewarden(
        folder, "init", "--workspace", server.url, *arguments,
        DATABRICKS_TOKEN=server.estate.admin.token, DATABRICKS_CONFIG_FILE=str(folder / "none"),
    )  # fmt: skip


@pytest.mark.slow
def test_what_a_workspace_shows_becomes_policy_and_the_rest_a_comment(repository: Path) -> None:
    with serve(small()) as server:
        ran = init(repository, server)
        assert ran.code == 0, ran.err
        text = (repository / "lakewarden.toml").read_text()
        assert all(request.method == "GET" for request in server.log)
        again = init(repository, server)
    assert again.code == 2
    assert "[E001]" in again.err
    production = tomllib.loads(text)["environments"]["production"]
    # prod, and no other catalog, is bound to this workspace to be written
    assert production["workspaces"] == [server.url.replace("http://", "https://")]
    assert production["service_principals"] == [JOBS]
    assert production["catalogs"] == ["prod"]
    assert "#   which environment the catalog elsewhere is of" in text
    assert (
        "#   metastore metastore-1: catalogs and locations that the auditor may not use are left out; GRANT READ METADATA" in text
    )
    assert load(repository / "lakewarden.toml").environments["production"].service_principals == (JOBS,)
    assert lakewarden(repository, "lint").code in (0, 1, 3)


@pytest.mark.slow
def test_a_workspace_that_nothing_places_is_claimed_by_no_environment(repository: Path) -> None:
    estate = small()
    with serve(estate) as server:
        server.faults.add("GET", "/api/2.1/unity-catalog/bindings/catalog/prod", faults.refused())
        assert init(repository, server).code == 0
    text = (repository / "lakewarden.toml").read_text()
    assert all("workspaces" not in one for one in tomllib.loads(text)["environments"].values())
    assert f"#   which environment {server.url} is" in text
    assert f"#   which environment the service principal {JOBS} acts in" in text
