from __future__ import annotations

import subprocess
import sys

import pytest
from tests.contract.answers import ANSWERS
from tests.contract.operations import contract
from tests.running import CHECKOUT, environment


def test_everything_that_is_answered_is_an_operation_of_the_sdk() -> None:
    known = set(contract().operations)
    assert set(ANSWERS) - known == set()


def test_operations_are_read_without_importing_the_sdk() -> None:
    script = "import sys; from tests.contract.operations import contract; contract(); print('databricks.sdk' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.modules['duckdb'] = None; {_ALONE}{script}"],
        cwd=CHECKOUT,
        env=environment(PYTHONPATH=f"{CHECKOUT}/src:{CHECKOUT}"),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.stdout.strip(), done.stderr) == ("False", "")


# The package's own __init__ imports the server; only the module under test is wanted here.
_ALONE = (
    "import types; p = types.ModuleType('tests.contract'); p.__path__ = ['tests/contract']; sys.modules['tests.contract'] = p; "
)


def test_an_operation_knows_its_parameters_its_class_and_its_list() -> None:
    listed = contract()["GET", "/api/2.2/jobs/list"]
    assert {"limit", "page_token", "expand_tasks", "name"} <= listed.query
    assert (listed.response, listed.field, listed.paged) == ("jobs.BaseJob", "jobs", True)
    searched = contract()["POST", "/api/2.0/mlflow/runs/search"]
    assert {"experiment_ids", "filter", "page_token"} <= searched.body
    assert contract()["GET", "/api/2.0/preview/scim/v2/Groups"].paged
    assert contract()["GET", "/api/2.0/repos"].paged
    assert not contract()["GET", "/api/2.1/unity-catalog/metastore_summary"].paged


@pytest.mark.parametrize(
    ("path", "template", "parts"),
    [
        ("/api/2.1/unity-catalog/models/a.b.c", "/api/2.1/unity-catalog/models/{}", ("a.b.c",)),
        ("/api/2.1/unity-catalog/models/a.b.c/versions", "/api/2.1/unity-catalog/models/{}/versions", ("a.b.c",)),
        ("/api/2.1/unity-catalog/models/a.b.c/versions/3", "/api/2.1/unity-catalog/models/{}/versions/{}", ("a.b.c", "3")),
        ("/api/2.1/unity-catalog/tables/a.b.c/exists", "/api/2.1/unity-catalog/tables/{}/exists", ("a.b.c",)),
        ("/api/2.0/permissions/jobs/7", "/api/2.0/permissions/jobs/{}", ("7",)),
        ("/api/2.0/permissions/directories/7", "/api/2.0/permissions/{}/{}", ("directories", "7")),
        ("/api/2.0/bundle/deployments/7/versions", "/api/2.0/bundle/{}/versions", ("deployments/7",)),
        ("/api/2.0/bundle/deployments/7/versions/1", "/api/2.0/bundle/{}", ("deployments/7/versions/1",)),
        ("/api/2.0/pipelines", "/api/2.0/pipelines", ()),
    ],
)
def test_the_most_specific_operation_is_meant(path: str, template: str, parts: tuple[str, ...]) -> None:
    found = contract().match("GET", path)
    assert found is not None
    assert (found[0].template, found[1]) == (template, parts)


def test_what_the_sdk_does_not_know_matches_nothing() -> None:
    assert contract().match("GET", "/api/2.0/no-such-thing") is None
    assert contract().match("DELETE", "/api/2.2/jobs/list") is None
