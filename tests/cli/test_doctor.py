"""`doctor` as a person runs it: before an audit, against a contract server, and over snapshots."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.contract import serve
from tests.contract.small import small
from tests.running import Ran, inside, lakewarden
from tests.snapshots import POLICY, write
from tests.sources.platform.git_host.hosts import github
from tests.sources.platform.mlflow.test_other_servers import of_server
from tests.sources.platform.mlflow.test_other_servers import server as mlflow_server
from tests.sources.platform.wire.serving import Says

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract import Server

SELECTED = ("--select", "ENV007")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "lakewarden.toml").write_text(POLICY)
    return tmp_path


def test_what_a_snapshot_could_not_see_is_told_with_the_remedy(folder: Path) -> None:
    write(folder / "a.snap", {"prod": "ISOLATED"}, whole=False)
    ran = inside(folder, "doctor", "--snapshot", "a.snap", *SELECTED)
    assert ran.code == 0
    assert "1 can be decided of some objects only: ENV007" in ran.out
    assert "1. GRANT it\n      1 rule (ENV007), 1 verdict\n      403: no\n" in ran.out
    said = inside(folder, "doctor", "--snapshot", "a.snap", *SELECTED, "--output-format", "json").json
    assert [(u["remedy"], u["rules"], u["verdicts"], u["sql"]) for u in said["unlocks"]] == [("GRANT it", ["ENV007"], 1, None)]
    assert [(r["judged"], r["unseen"]) for r in said["rules"] if r["code"] == "ENV007"] == [(2, 1)]


def test_a_whole_snapshot_lacks_nothing(folder: Path) -> None:
    write(folder / "a.snap", {"prod": "ISOLATED"})
    ran = inside(folder, "doctor", "--snapshot", "a.snap", *SELECTED)
    assert "1 can be decided: ENV007" in ran.out
    assert "No right is missing for what was asked." in ran.out


def test_less_than_last_time_is_told_and_the_file_is_kept(folder: Path) -> None:
    def check(*, whole: bool) -> Ran:
        write(folder / "a.snap", {"prod": "ISOLATED"}, whole=whole)
        return inside(folder, "doctor", "--snapshot", "a.snap", *SELECTED, "--check", "last.json")

    assert check(whole=False).code == 0
    assert check(whole=True).code == 0
    for _ in range(2):
        ran = check(whole=False)
        assert ran.code == 3
        assert "less than last time: ENV007 was decidable (1 of 1), is in part (1 of 2)" in ran.err
    assert check(whole=True).code == 0
    (folder / "last.json").write_text("[]")
    assert check(whole=True).code == 2


def doctor(folder: Path, server: Server, who: str, *arguments: str) -> Ran:
    (folder / "lakewarden.toml").write_text(f'[environments.production]\nworkspaces = ["{server.url}"]\ncatalogs = ["prod"]\n')
    token = server.estate.principals[who].token
    return lakewarden(folder, "doctor", *arguments, DATABRICKS_TOKEN=token, DATABRICKS_CONFIG_FILE=str(folder / "none"))


@pytest.mark.slow
def test_a_few_requests_tell_which_grants_are_missing_and_those_grants_help(tmp_path: Path) -> None:
    rules = ("--select", "DAT006,DAT012,ENV007")
    estate = small()
    for number in range(40):
        estate.table(f"prod.sales.more_{number}", columns=["id"])
    with serve(estate) as server:
        sql = doctor(tmp_path, server, "ana@example.com", *rules, "--output-format", "sql")
        statements = [line for line in sql.out.splitlines() if line.startswith("GRANT ")]
        assert "GRANT READ METADATA ON METASTORE TO `ana@example.com`;" in statements
        assert "GRANT READ METADATA ON CATALOG `prod` TO `ana@example.com`;" in statements
        assert len(server.asked()) < 40
        written = doctor(tmp_path, server, "ana@example.com", *rules, "--output-format", "terraform").out
        assert '  catalog = "prod"\n  principal = "ana@example.com"\n  privileges = ["READ_METADATA"]\n' in written
        assert written.count('resource "databricks_grant"') == len(statements)
        doctor(tmp_path, server, "ana@example.com", *rules, "--check", "last.json")
        estate.grant("metastore", estate.metastore_id, "ana@example.com", ["READ_METADATA"])
        better = doctor(tmp_path, server, "ana@example.com", *rules, "--check", "last.json", "--output-format", "json")
    assert better.code == 0
    left = [unlock["sql"] for unlock in json.loads(better.out)["unlocks"] if unlock["sql"]]
    assert left == []


def test_what_a_git_host_and_a_server_of_mlflow_hide_is_told_with_the_token_that_shows_it(tmp_path: Path) -> None:
    no = Says({"message": "Resource not accessible by personal access token"}, 403)
    main = {"name": "main", "protected": True, "commit": {"sha": "a" * 40}}
    routes = {"": {"default_branch": "main"}, "/branches": [main], "/rules/branches/main": [], "/branches/main/protection": no}
    estate = small()
    users = Says({"error_code": "PERMISSION_DENIED", "message": "Permission denied"}, 403)
    mlflow = of_server("3.13.0", **{"/api/2.0/mlflow/users/list": users})
    with (
        serve(estate) as server,
        github({f"/repos/acme/churn{k}": v for k, v in routes.items()}) as host,
        mlflow_server(mlflow) as m,
    ):
        (tmp_path / "lakewarden.toml").write_text(
            f'[environments.production]\nworkspaces = ["{server.url}", "{m.url}"]\ncatalogs = ["prod"]\n'
            f'[[projects]]\nname = "churn"\nrepository = "{host.key}"\nrelease_refs = ["main"]\n'
        )

        def ask(rules: str, *arguments: str, **more: str) -> Ran:
            login = {"DATABRICKS_TOKEN": estate.admin.token, "DATABRICKS_CONFIG_FILE": str(tmp_path / "none"), **more}
            return lakewarden(tmp_path, "doctor", "--select", rules, *arguments, **login)

        # A host that the variables name as one to send no token to.
        without = ask("GIT009", "--workspace", server.url, GH_HOST=host.environ["GH_HOST"])
        assert "set GH_TOKEN to a fine-grained token with Metadata" in " ".join(without.out.split())
        poor = ask("GIT009", "--workspace", server.url, **host.environ)
        assert "grant Administration (read) of the repository to the token" in " ".join(poor.out.split())
        who = {"MLFLOW_TRACKING_USERNAME": "ana", "MLFLOW_TRACKING_PASSWORD": "a-password-of-a-test"}
        reader = ask("TRK006,REG006,GIT008", "--mlflow", m.url, **who)
        assert "of an admin of the server" in " ".join(reader.out.split())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--snapshot", "none.snap"), "there is no snapshot none.snap"),
        (("--snapshot", "a.snap", "--workspace", "x"), "--snapshot is looked at without asking a workspace"),
        (("--snapshot", "a.snap", "--check", "no/such/folder/f"), "cannot use no/such/folder/f"),
    ],
)
def test_a_wrong_wish_is_one_line_of_advice(folder: Path, arguments: tuple[str, ...], words: str) -> None:
    write(folder / "a.snap", {})
    ran = inside(folder, "doctor", *arguments)
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 2)
    assert words in ran.err
