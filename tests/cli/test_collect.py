"""`collect` as a person runs it: broken off and gone on with, for others to have, watched at a terminal."""

from __future__ import annotations

import gzip
import os
import pty
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from tests.contract import faults, serve
from tests.contract.small import small
from tests.running import Ran, environment, lakewarden

from lakewarden.facts import snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract import Server

GRANTS = "/api/2.1/unity-catalog/permissions/{securable_type}/{full_name}"
LAST = "/api/2.1/unity-catalog/permissions/table/prod.sales.scores"


def settings(folder: Path, server: Server) -> dict[str, str]:
    policy = f'[environments.production]\nworkspaces = ["{server.url}"]\ncatalogs = ["prod"]\n'
    (folder / "lakewarden.toml").write_text(policy)
    token = server.estate.admin.token
    return {"DATABRICKS_TOKEN": token, "DATABRICKS_HOST": "", "DATABRICKS_CONFIG_FILE": str(folder / "none")}


def run(folder: Path, server: Server, *arguments: str) -> Ran:
    return lakewarden(folder, *arguments, **settings(folder, server))


def asked(server: Server, path: str) -> int:
    return sum(one.path == path for one in server.log)


def interrupted(folder: Path, server: Server, *arguments: str, by: tuple[int, ...] = (signal.SIGINT,)) -> tuple[int, str, str]:
    """Run, and press Ctrl-C, or send other signals, when the last of the grants is asked for."""
    process = subprocess.Popen(
        [sys.executable, "-m", "lakewarden", *arguments],
        cwd=folder,
        env=environment(**settings(folder, server)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        end = time.monotonic() + 60
        while not asked(server, LAST):
            assert time.monotonic() < end
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        time.sleep(0.3)
        for number in by:
            process.send_signal(number)
            time.sleep(0.05)
        out, err = process.communicate(timeout=45)
    finally:
        process.kill()
    return process.returncode, out, err


def facts(file: Path) -> dict[str, list[str]]:
    read = snapshot.read(file)
    return {table: sorted(row.key for row in rows) for table, rows in read.facts.rows.items() if rows}


@pytest.mark.slow
def test_ctrl_c_leaves_a_snapshot_that_says_that_it_is_partial_and_resume_goes_on(tmp_path: Path) -> None:
    with serve(small()) as server:
        server.faults.add("GET", LAST, faults.slow(60), times=1)
        code, out, _ = interrupted(tmp_path, server, "collect", "-o", "part.snap")
        assert code == 3
        assert "it is partial: reading was interrupted at grants of" in out
        assert "every list was read" not in out
        part = snapshot.read(tmp_path / "part.snap")
        assert part.header.partial
        read_once = {scope.parent for table, _, scope in part.facts.complete if table == "grants"}
        assert read_once
        assert not any(str(key).endswith("prod.sales.scores") for key in read_once)

        audited = lakewarden(tmp_path, "audit", "--snapshot", "part.snap", "--output-format", "json", "--show", "unknown")
        assert audited.json["summary"]["incomplete"]
        assert audited.code in (1, 3)
        assert any("part.snap is partial" in reason for reason in audited.json["summary"]["incomplete_reasons"])
        assert any("interrupted" in gap["reason"] and gap["facts"] == "grants" for gap in audited.json["gaps"])

        before = {path: asked(server, path) for path in {one.path for one in server.log}}
        resumed = run(tmp_path, server, "collect", "--resume", "part.snap", "-o", "whole.snap")
        assert "partial" not in resumed.out
        whole = snapshot.read(tmp_path / "whole.snap")
        assert whole.header.partial == ""
        of_tables = [path for path in before if "/permissions/" in path and path.rsplit("/", 1)[-1] in _names(read_once)]
        assert of_tables
        assert {path: asked(server, path) for path in of_tables} == {path: before[path] for path in of_tables}

        run(tmp_path, server, "collect", "-o", "fresh.snap")
    assert facts(tmp_path / "whole.snap") == facts(tmp_path / "fresh.snap")
    assert whole.facts.complete == snapshot.read(tmp_path / "fresh.snap").facts.complete


@pytest.mark.slow
@pytest.mark.parametrize("by", [(signal.SIGTERM,), (signal.SIGINT, signal.SIGTERM), (signal.SIGTERM, signal.SIGTERM)])
def test_a_cancelled_ci_job_leaves_a_partial_snapshot(tmp_path: Path, by: tuple[int, ...]) -> None:
    with serve(small()) as server:
        server.faults.add("GET", LAST, faults.slow(60), times=1)
        begun = time.monotonic()
        code, out, err = interrupted(tmp_path, server, "collect", "-o", "part.snap", by=by)
        assert time.monotonic() - begun < 50  # it does not wait for the answer
    assert (code, "Traceback" in err) == (3, False)
    assert "it is partial: reading was interrupted at grants of" in out
    assert snapshot.read(tmp_path / "part.snap").header.partial


def test_a_signal_after_what_was_read_is_written_ends_nothing_that_is_yet_to_be_told() -> None:
    lines = (
        "import os, signal, time",
        "from lakewarden.cli.stopping import stoppable",
        "with stoppable():",
        "    try:",
        "        os.kill(os.getpid(), signal.SIGINT)",
        "        time.sleep(5)",
        "    except KeyboardInterrupt:",
        "        pass",
        "os.kill(os.getpid(), signal.SIGTERM)",
        "time.sleep(0.1)",
        "print('told')",
    )
    ran = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], env=environment(), capture_output=True, text=True, timeout=120, check=False
    )
    assert (ran.returncode, ran.stdout) == (0, "told\n")


@pytest.mark.slow
def test_a_cancelled_audit_judges_nothing(tmp_path: Path) -> None:
    with serve(small()) as server:
        server.faults.add("GET", LAST, faults.slow(60), times=1)
        code, out, err = interrupted(tmp_path, server, "audit", "--select", "DAT006", by=(signal.SIGTERM,))
    assert code not in (0, 1, 3)
    assert (out, "Traceback" in err) == ("", False)


def _names(keys: set[str | None]) -> set[str]:
    return {str(key).partition("/")[2] for key in keys}


@pytest.mark.slow
def test_ctrl_c_ends_an_audit_without_a_report(tmp_path: Path) -> None:
    with serve(small()) as server:
        server.faults.add("GET", LAST, faults.slow(60), times=1)
        code, out, err = interrupted(tmp_path, server, "audit", "--select", "DAT006")
    assert (code, out) == (130, "")
    assert "Traceback" not in err


@pytest.mark.slow
def test_what_is_shared_has_no_runs_and_no_names_of_people(tmp_path: Path) -> None:
    with serve(small()) as server:
        run(tmp_path, server, "collect", "-o", "whole.snap")
        run(tmp_path, server, "collect", "--share", "-o", "shared.snap")
    own, others = ((gzip.decompress((tmp_path / f"{name}.snap").read_bytes()).decode()) for name in ("whole", "shared"))
    assert "ana@example.com" in own
    assert re.search(r"\b(?:ana|guest)\b|[\w.]+(@|%40)", others) is None
    found = facts(tmp_path / "shared.snap")
    assert found.keys().isdisjoint({"runs", "job_runs", "run_inputs", "commit_evidence"})
    assert any("group:data-scientists" in key for key in found["grants"])
    assert any("/user:person-" in key for key in found["grants"])

    def verdicts(name: str) -> list[tuple[str, str]]:
        ran = lakewarden(tmp_path, "audit", "--snapshot", f"{name}.snap", "--select", "ENV,DAT", "--output-format", "json")
        return sorted((f["code"], re.sub(r"user:[^/]+", "user", f["subject"])) for f in ran.json["findings"])

    assert verdicts("shared") == verdicts("whole")
    assert verdicts("shared")


@pytest.mark.slow
def test_requests_are_told_by_kind_on_request(tmp_path: Path) -> None:
    with serve(small()) as server:
        ran = run(tmp_path, server, "collect", "-o", "a.snap", "--show", "requests")
        sent = len(server.asked())
    total, *families = ran.err.splitlines()
    assert total.endswith(" requests")
    assert sum(int(line.split()[0]) for line in families) == int(total.split()[0])
    assert int(total.split()[0]) <= sent + 1
    assert any(line.endswith(" unity-catalog") for line in families)


@pytest.mark.slow
def test_a_terminal_sees_a_bar_with_counts_and_a_pipe_does_not(tmp_path: Path) -> None:
    with serve(small()) as server:
        server.faults.add("GET", LAST, faults.slow(1.5), times=1)
        own, other = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "lakewarden", "collect", "-o", "a.snap"],
            cwd=tmp_path,
            env=environment(**settings(tmp_path, server), TERM="xterm", COLUMNS="100"),
            stdout=subprocess.DEVNULL,
            stderr=other,
        )
        os.close(other)
        seen = b""
        try:
            while chunk := os.read(own, 4096):
                seen += chunk
        except OSError:  # the other end of a terminal was closed
            pass
        os.close(own)
        process.wait(30)
        piped = run(tmp_path, server, "collect", "-o", "a.snap")
    text = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", seen).decode()
    assert re.search(r"reading grants of 127\.0\.0\.1:\d+ +\S+ +\d+ requests, \d+/s", text)
    assert re.fullmatch(r"\d+ requests\n", piped.err)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--resume", "none.snap"), "there is no snapshot none.snap"),
        (("--resume", "whole.snap"), "whole.snap is whole: there is nothing to go on with"),
        (("--resume", "part.snap", "--workspace", "https://x"), "--resume reads the workspaces of the snapshot"),
        (("--resume", "part.snap"), "was written by lakewarden 1.0"),
        (("--show", "everything"), "--show everything shows nothing"),
    ],
)
def test_a_wrong_wish_is_one_line_of_advice(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    from tests.snapshots import write

    write(tmp_path / "whole.snap", {})
    write(tmp_path / "part.snap", {}, partial="broken off")
    ran = lakewarden(tmp_path, "collect", "-o", "new.snap", *arguments)
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 2)
    assert words in ran.err
    assert not (tmp_path / "new.snap").exists()
