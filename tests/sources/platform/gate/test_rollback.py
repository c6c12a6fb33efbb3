"""A rollback on a workspace: the registry alone is asked, though the Git host, the job run and the run of MLflow are gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.contract import serve
from tests.running import lakewarden
from tests.sources.platform.gate.gating import ASKED, PROMOTER, estate_of, policy_of

from lakewarden.gate.run import rules
from lakewarden.gate.streaming import digest_of_files
from lakewarden.judge.judge import tables_needed
from lakewarden.sources.platform.audit import Asked, Beside
from lakewarden.sources.platform.gate import read as reading
from lakewarden.sources.platform.gate.artifacts import Digester
from lakewarden.sources.platform.gate.request import request_of
from lakewarden.sources.platform.gate.reread import is_unchanged
from lakewarden.sources.platform.wire import http

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract import Server
    from tests.running import Ran

MODEL = "models:/prod.ml.churn"


def gate(folder: Path, server: Server, *arguments: str) -> Ran:
    (folder / "lakewarden.toml").write_text(
        f'[environments.production]\nworkspaces = ["{server.url}"]\ncatalogs = ["prod"]\n'
        '[[projects]]\nname = "churn"\nrepository = "https://git.invalid/acme/churn"\nmodels = ["prod.ml.*"]\n'
        f'[gate]\nlevel = "approved"\n[identities]\npromote = ["{PROMOTER}"]\n[attestation]\nallow_unsigned = true\n'
    )
    token = server.estate.principals[PROMOTER].token
    settings = {"DATABRICKS_TOKEN": token, "DATABRICKS_HOST": "", "DATABRICKS_CONFIG_FILE": str(folder / "none"), "CI": ""}
    return lakewarden(folder, "gate", *arguments, "--to", "production", "--attestations", "out", **settings)


def test_a_tag_that_is_written_while_the_gate_asks_is_a_change() -> None:
    """Approvals and validations are tags: what was judged is what has to be there when the alias moves."""
    estate = estate_of({"approval": "Approved"})
    with serve(estate) as server:
        policy, request = policy_of(server.url), request_of(ASKED, "production", ("champion",))
        wanted = tables_needed(rules(), reading.fills(request, git=True), frozenset({"deployed"}))
        asked = [Asked(server.url, lambda: http.connect(server.url, token=server.estate.admin.token))]
        read = reading.read(request, asked, Beside(), wanted, policy, str, Digester(digest_of_files))
        assert read.home is not None
        assert is_unchanged(read.home)
        estate.version_tags["prod.ml.churn", "3"]["approval"] = "Rejected"
        assert not is_unchanged(read.home)


def test_a_rollback_asks_the_registry_alone(tmp_path: Path) -> None:
    with serve(estate_of(aliases={"champion": 2})) as server:
        adopted = gate(tmp_path, server, f"{MODEL}/2", "--adopt")
    assert adopted.code == 0, adopted.out + adopted.err
    with serve(estate_of(aliases={"champion": 3})) as server:
        ran = gate(tmp_path, server, f"{MODEL}/2", "--rollback")
        asked = {one.path for one in server.log}
    assert ran.code == 0, ran.out + ran.err
    assert "A rollback asks for no level" in " ".join(ran.out.split())
    assert [path for path in asked if "/runs/" in path or "/jobs/" in path] == []
    with serve(estate_of(aliases={"champion": 3})) as server:
        other = gate(tmp_path, server, f"{MODEL}/3", "--rollback")
    assert other.code == 1
    assert "GATE021" in other.out
