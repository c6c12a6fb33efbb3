"""A gate on a workspace beside a snapshot that `lakewarden collect` wrote of it just before."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.contract import serve
from tests.running import lakewarden
from tests.sources.platform.gate.gating import ASKED, PROMOTER, estate_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract import Server
    from tests.running import Ran


def ran(folder: Path, server: Server, *arguments: str | Path) -> Ran:
    policy = (
        f'[environments.production]\nworkspaces = ["{server.url}"]\ncatalogs = ["prod"]\n[gate]\nlevel = "approved"\n'
        f'places = ["terminal"]\n[identities]\npromote = ["{PROMOTER}"]\n'
    )
    (folder / "lakewarden.toml").write_text(policy)
    token = server.estate.admin.token
    return lakewarden(
        folder, *arguments, DATABRICKS_TOKEN=token, DATABRICKS_HOST="", DATABRICKS_CONFIG_FILE=str(folder / "none"), CI=""
    )


def c18(folder: Path, server: Server, *arguments: str | Path) -> dict[str, Any]:
    done = ran(folder, server, "gate", ASKED, "--to", "production", "--output-format", "json", *arguments)
    found: dict[str, Any] = next(check for check in done.json["checks"] if check["code"] == "C18")
    return found


def test_a_collect_shows_the_job_and_the_catalog(tmp_path: Path) -> None:
    with serve(estate_of()) as server:
        done = ran(tmp_path, server, "collect", "-o", "estate.snap")
        assert done.code in (0, 3), done.err
        without, beside = c18(tmp_path, server), c18(tmp_path, server, "--snapshot", "estate.snap")
    told = {one["rule"]: one["verdict"] for one in without["said"]}
    assert told["ENV006"] == told["ENV007"] == "unknown"
    assert "--snapshot" in without["remedy"]
    told = {one["rule"]: one["verdict"] for one in beside["said"]}
    assert told["ENV006"] == "pass"
    assert told["ENV007"] == "fail"  # it can be reached from everywhere
    (evidence,) = beside["evidence"]
    assert evidence["value"].startswith("audit of 20")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--snapshot", "none.snap"), "there is no snapshot"),
        (("--snapshot", "text.snap"), "is no whole snapshot"),
        (("--snapshot", "text.snap", "--snapshot", "text.snap"), "given twice"),
        (("--snapshot", "text.snap", "--rollback"), "rests on no audit"),
        (("--snapshot", "text.snap", "--adopt"), "rests on no audit"),
    ],
    ids=["not there", "no snapshot", "twice", "a rollback", "an adoption"],
)
def test_a_file_that_is_of_no_use(tmp_path: Path, options: tuple[str, ...], told: str) -> None:
    (tmp_path / "text.snap").write_bytes(gzip.compress(json.dumps(["something else"]).encode()))
    with serve(estate_of()) as server:
        done = ran(tmp_path, server, "gate", ASKED, "--to", "production", *options)
    assert done.code == 2
    assert told in " ".join(done.err.split())
