"""A gate on a copy of staging's version, where the policy deploys models: both are read, each in the workspace of its stage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.contract import serve
from tests.running import lakewarden
from tests.sources.platform.databricks.learning import JOBS, MODEL, learning
from tests.sources.platform.gate.gating import COMPARED, PROMOTER, VALID, millis

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.contract import Estate, Server

TESTED = "staging.ml.churn"


def copied(*, original: Mapping[str, Any] | None = None, **copy: Any) -> Estate:
    """The estate of `learning` with a version that staging tested, and a third version of production that is a copy of it."""
    found = learning()
    found.service_principal("promoter", PROMOTER)
    found.catalog("staging")
    found.schema("staging.ml")
    about: dict[str, Any] = {"run_id": "run-1", "run_workspace_id": found.workspace_id, "comment": "churn", "created_by": JOBS}
    about |= {"created_at": millis(days=3)}
    found.model(TESTED, versions=[about | {"source": "dbfs:/models/churn/1", "tags": VALID} | dict(original or {})])
    third = about | {"source": f"models:/{TESTED}/1", "version": 3, "tags": {**VALID, **COMPARED}} | copy
    versions: list[dict[str, Any]] = [{"source": "models:/m-0"}, {"source": "models:/m-1", "run_id": "run-1"}, third]
    found.model(MODEL, owner=PROMOTER, versions=versions, aliases={"champion": 2})
    return found


def gated(folder: Path, server: Server, stages: str = "") -> dict[str, Any]:
    """The report of the gate; staging is the same server by another name."""
    staging = server.url.replace("127.0.0.1", "localhost")
    (folder / "lakewarden.toml").write_text(
        stages
        or f'[environments.production]\nworkspaces = ["{server.url}"]\ncatalogs = ["prod"]\n'
        f'[environments.staging]\nworkspaces = ["{staging}"]\ncatalogs = ["staging"]\n'
        '[parameters]\ndeployment_pattern = "deploy-models"\n[gate]\nlevel = "approved"\nplaces = ["terminal"]\n'
        f'[identities]\npromote = ["{PROMOTER}"]\n'
    )
    settings = {
        "DATABRICKS_TOKEN": server.estate.admin.token,
        "DATABRICKS_HOST": "",
        "DATABRICKS_CONFIG_FILE": str(folder / "none"),
    }
    done = lakewarden(folder, "gate", f"models:/{MODEL}/3", "--to", "production", "--output-format", "json", CI="", **settings)
    return {"code": done.code, "err": done.err, **({check["code"]: check for check in done.json["checks"]} if done.out else {})}


def test_both_are_read_and_the_original_is_held_to_its_stage(tmp_path: Path) -> None:
    with serve(copied()) as server:
        told = gated(tmp_path, server)
    assert [told[code]["outcome"] for code in ("C2", "C4", "C5", "C10", "C14")] == ["pass"] * 5, told
    subjects = {one["subject"] for one in told["C14"]["said"]}
    assert subjects == {f"metastore-1/{TESTED}/1"}
    # Who recorded on the copy that it was compared said it of nothing.
    assert told["C15"]["outcome"] == "missing"


def test_other_bytes_are_no_copy(tmp_path: Path) -> None:
    with serve(copied(mlmodel="run_id: run-1\nsignature:\n  inputs: '[1]'\n")) as server:
        told = gated(tmp_path, server)
    assert told["C5"]["outcome"] == "fail"
    assert f"not those of metastore-1/{TESTED}/1" in str(told["C5"]["said"])


def test_tags_of_the_copy_are_not_those_of_the_original(tmp_path: Path) -> None:
    with serve(copied(original={"tags": {}})) as server:
        told = gated(tmp_path, server)
    assert told["C14"]["outcome"] == "missing"


def test_a_policy_that_does_not_name_the_stage_before_cannot_be_used(tmp_path: Path) -> None:
    with serve(copied()) as server:
        policy = (
            f'[environments.production]\nworkspaces = ["{server.url}"]\ncatalogs = ["prod"]\n'
            '[parameters]\ndeployment_pattern = "deploy-models"\n[gate]\nlevel = "identity"\n'
        )
        told = gated(tmp_path, server, policy)
    assert told["code"] == 2
    assert "of stage staging" in " ".join(told["err"].split())
