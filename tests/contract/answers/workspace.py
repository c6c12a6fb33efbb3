"""Files, Git folders, policies, warehouses, and who may touch which object of the workspace."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from tests.contract.asking import Answer, Answers, Ask, Listing, absent, denied
from tests.contract.visibility import levels, owns

if TYPE_CHECKING:
    from tests.contract.store import Json

_SINGULAR = {"cluster-policies": "cluster-policy", "directories": "directory"}


def status(ask: Ask) -> Answer:
    return _object(ask, ask.needed("path"))


def children(ask: Ask) -> Answer:
    path = ask.needed("path").rstrip("/")
    if path and _object(ask, path)["object_type"] not in {"DIRECTORY", "REPO"}:
        return {"objects": [_object(ask, path)]}
    found = ask.estate.under("objects", path)
    return {"objects": list(found)} if found else {}


def export(ask: Ask) -> Answer:
    path = ask.needed("path")
    row = _object(ask, path)
    content = ask.estate.files.get(path)
    if content is None:
        raise denied(f"{row['object_type']} {path} cannot be exported.")
    if ask.flag("direct_download"):
        return content
    return {"content": base64.b64encode(content).decode(), "file_type": path.rpartition(".")[2]}


def repos(ask: Ask) -> Answer:
    prefix = ask.given("path_prefix") or ""

    def show(row: Json) -> Json | None:
        mine = row["path"].startswith(prefix) and owns(levels(ask.estate, ask.who, "repos", str(row["id"])))
        return row if mine else None

    return Listing("repos", ask.estate.under("repos"), show, cursor="next_page_token")


def repo(ask: Ask) -> Answer:
    row = ask.estate.find("repos", ask.parts[0])
    if row is None:
        raise absent(f"Repo {ask.parts[0]}")
    return row


def policies(ask: Ask) -> Answer:
    found = [
        row for row in ask.estate.under("cluster_policies") if levels(ask.estate, ask.who, "cluster-policies", row["policy_id"])
    ]
    return {"policies": found} if found else {}


def policy(ask: Ask) -> Answer:
    row = ask.estate.find("cluster_policies", ask.needed("policy_id"))
    if row is None:
        raise absent(f"Policy {ask.needed('policy_id')}")
    return row


def warehouses(ask: Ask) -> Answer:
    return Listing("warehouses", ask.estate.under("warehouses"), limit="page_size")


def warehouse(ask: Ask) -> Answer:
    row = ask.estate.find("warehouses", ask.parts[0])
    if row is None:
        raise absent(f"SQL warehouse {ask.parts[0]}")
    return row


def permissions(ask: Ask) -> Answer:
    object_type = ask.operation.template.split("/")[4]
    kind, name = (object_type, ask.parts[0]) if len(ask.parts) == 1 else ask.parts
    if (kind, name) not in ask.estate.acls:
        # Nothing was said of this object, which is not the same as an empty list.
        raise absent(f"{kind} {name}")
    if not owns(levels(ask.estate, ask.who, kind, name)):
        raise denied(f"User does not have permission to view permissions of {kind} {name}.")
    singular = _SINGULAR.get(kind, kind.removesuffix("s"))
    entries = ask.estate.acls[kind, name]
    return {"object_id": f"/{kind}/{name}", "object_type": singular} | ({"access_control_list": entries} if entries else {})


def _object(ask: Ask, path: str) -> Json:
    row = ask.estate.find("objects", path, path.rpartition("/")[0])
    if row is None:
        raise absent(f"Path ({path})")
    return row


_ACL = (
    "{}/{}",
    "cluster-policies/{}",
    "clusters/{}",
    "experiments/{}",
    "instance-pools/{}",
    "jobs/{}",
    "pipelines/{}",
    "registered-models/{}",
    "repos/{}",
    "serving-endpoints/{}",
    "warehouses/{}",
)
WORKSPACE: Answers = {
    ("GET", "/api/2.0/workspace/get-status"): status,
    ("GET", "/api/2.0/workspace/list"): children,
    ("GET", "/api/2.0/workspace/export"): export,
    ("GET", "/api/2.0/repos"): repos,
    ("GET", "/api/2.0/repos/{}"): repo,
    ("GET", "/api/2.0/policies/clusters/list"): policies,
    ("GET", "/api/2.0/policies/clusters/get"): policy,
    ("GET", "/api/2.0/sql/warehouses"): warehouses,
    ("GET", "/api/2.0/sql/warehouses/{}"): warehouse,
    **{("GET", f"/api/2.0/permissions/{one}"): permissions for one in _ACL},
}
