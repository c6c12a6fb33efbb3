"""The commands of the pages about gates do what the pages say, on a real MLflow server, and the README shows what a gate prints."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import duckdb
import pytest
from tests.gate.attestation.given import write_key
from tests.running import CHECKOUT, Ran, inside
from tests.sources.platform.mlflow.running import _QUIET

from lakewarden.facts import snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.gate.trained import Trained

pytestmark = pytest.mark.slow

MODEL = "prod.churn.model"


def commands(page: str) -> list[list[str]]:
    """The command lines in blocks of a page."""
    blocks = re.findall(r"^```(?:sh)?\n(.*?)^```", (CHECKOUT / page).read_text(), re.MULTILINE | re.DOTALL)
    return [shlex.split(line)[1:] for block in blocks for line in block.splitlines() if line.startswith("lakewarden ")]


@pytest.fixture
def documented(trained: Trained, tmp_path: Path) -> Iterator[Trained]:
    """The model of the pages: version 6 is live, 7 is the challenger; attestations stand in a folder that the policy names."""
    trained.git("remote", "set-url", "origin", trained.remote.as_uri())
    first = trained.ask("/model-versions/get?name=First&version=1")["model_version"]
    trained.ask("/registered-models/create", {"name": MODEL})
    about = {"source": first["source"], "run_id": first["run_id"], "model_id": first["source"].removeprefix("models:/")}
    for _ in range(7):
        trained.ask("/model-versions/create", {"name": MODEL, **about})
    trained.point(MODEL, "champion", 6)
    trained.point(MODEL, "challenger", 7)
    policy = trained.policy().replace("places =", f'attestations = "{tmp_path / "attestations"}"\nplaces =')
    with trained.under(policy):
        yield trained
    trained.ask("/registered-models/delete", {"name": MODEL}, "DELETE")


@contextlib.contextmanager
def clean(trained: Trained) -> Iterator[None]:
    """For a while it is recorded of the run, and of the model that it logged, that nothing was changed when it trained."""
    version = trained.ask(f"/model-versions/get?name={MODEL}&version=7")["model_version"]
    run, model, tag = version["run_id"], version["source"].removeprefix("models:/"), "mlflow.source.git.dirty"
    trained.ask("/runs/set-tag", {"run_id": run, "key": tag, "value": "false"})
    trained.ask(f"/logged-models/{model}/tags", {"tags": [{"key": tag, "value": "false"}]}, "PATCH")
    yield
    trained.ask("/runs/delete-tag", {"run_id": run, "key": tag})
    trained.ask(f"/logged-models/{model}/tags/{tag}", method="DELETE")


def test_the_commands_of_the_gate_and_of_what_follows(documented: Trained, tmp_path: Path) -> None:
    checkout, where = documented.checkout, ("--mlflow", documented.url)

    def asked(*words: str, folder: Path = checkout) -> Ran:
        ran = inside(folder, *words)
        assert "Traceback" not in ran.err
        return ran

    def look(name: str) -> None:
        asked("audit", *where, "--no-repository", "--history", str(tmp_path / "audits.duckdb"))
        asked("collect", *where, "-o", str(tmp_path / name))

    look("a.snap")
    survey, adopt, gate, move, back = commands("examples/gate/README.md")
    ran = asked(*survey, *where)
    assert (ran.code, f"{MODEL} version 6: reaches identity" in ran.out) == (0, True), ran.out + ran.err
    assert asked(*adopt, *where).code == 0
    assert gate in commands("docs/gate.md")
    for command in commands("docs/gate.md"):
        ran = asked(*command, *where)
        assert ran.code == 0, ran.out + ran.err
    (checkout / "estate.snap").unlink()
    assert documented.aliases(MODEL) == {"champion": "6", "challenger": "7"}
    assert asked(*move, *where).code == 0
    assert documented.aliases(MODEL)["champion"] == "7"
    look("b.snap")
    assert asked(*back, *where).code == 0
    assert documented.aliases(MODEL)["champion"] == "6"
    look("c.snap")
    what_follows(documented, tmp_path)


def what_follows(trained: Trained, folder: Path) -> None:
    """The commands of the other pages, in a folder with what they name."""
    shutil.copyfile(trained.checkout / "lakewarden.toml", folder / "lakewarden.toml")
    by_history, by_snapshots, _ = commands("docs/promotions.md")
    with duckdb.connect(str(folder / "audits.duckdb")) as connection:
        times = connection.execute("SELECT min(ended), max(begun) FROM sights").fetchone() or ()
    ran = inside(folder, *at_these_times(by_history, *times))
    assert ran.code == 0, ran.out + ran.err
    lines = [line for line in ran.out.splitlines() if MODEL in line]
    assert [line.partition("/6: ")[2] or line.partition("/7: ")[2] for line in lines] == [
        f"promotion {MODEL}-7.vsa.dsse.json", f"rollback {MODEL}-6.vsa.dsse.json",
    ]  # fmt: skip
    first, last = (snapshot.read(folder / name).header for name in ("a.snap", "b.snap"))
    ran = inside(folder, *at_these_times(by_snapshots, first.ended, last.begun))
    assert ran.code == 0, ran.out + ran.err
    assert f"{MODEL}-7.evidence.json" in {file.name for file in (folder / "sample/1").iterdir()}

    write_key(folder, "capture")
    (capture,) = commands("docs/capture.md")
    ran = inside(folder, *capture, "--mlflow", trained.url)
    assert ran.code == 0, ran.out + ran.err
    assert (folder / f"attestations/{MODEL}-7.provenance.dsse.json").exists()

    (verify,) = commands("docs/attestations.md")
    download = [sys.executable, "-m", "mlflow", "artifacts", "download", "-u", f"models:/{MODEL}/7", "-d", "model"]
    env = {**os.environ, **_QUIET, "MLFLOW_TRACKING_URI": trained.url}
    subprocess.run(download, cwd=folder, env=env, check=True, capture_output=True)
    shutil.copyfile(folder / "attestations" / verify[1], folder / verify[1])
    assert "it is not signed" in inside(folder, *verify).out
    ran = inside(folder, *verify, "--allow-unsigned")
    assert (ran.code, "lineage" in ran.out) == (1, True), ran.out
    ran = inside(folder, *("identity" if word == "lineage" else word for word in verify), "--allow-unsigned")
    assert ran.code == 0, ran.out + ran.err


def at_these_times(command: list[str], since: str, until: str) -> list[str]:
    """The command, about these times in place of its days."""
    days = {"2026-10-01": since, "2026-10-31": until}
    return [days.get(word, word) for word in command]


def test_the_readme_shows_what_a_gate_prints(documented: Trained, tmp_path: Path) -> None:
    section = (CHECKOUT / "README.md").read_text().partition("## The gate")[2].partition("\n## ")[0]
    (shown,) = re.findall(r"```text\n(.*?)```", section, re.DOTALL)
    (command,) = (line for line in section.splitlines() if line.startswith("lakewarden "))
    words = shlex.split(command)[1:]
    server = words.index("--mlflow") + 1
    with documented.under(documented.policy("lineage")), clean(documented):
        ran = inside(
            documented.checkout, *words[:server], documented.url, *words[server + 1 :], "--attestations", tmp_path / "out"
        )
    assert ran.code == 1
    printed, at = " ".join(alike(ran.out, documented.url).split()), 0
    for part in re.split(r"\n(?=\S)", alike(shown, "http://mlflow.example.com")):
        piece = " ".join(part.split())
        found = printed.find(piece, at)
        assert found >= at, piece
        at = found + len(piece)


def alike(text: str, url: str) -> str:
    """The text without what differs from server to server and from run to run."""
    return re.sub(r"\b[0-9a-f]{32,64}\b", "HEX", text.replace(url, "URL"))
