"""What a gate tells: why evidence is missing, what was done, and never a secret."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.gate.complete import COMMIT_KEY, docket, story
from tests.reports.gate.given import ALL, PASSED, report, result
from tests.sources.platform.wire.serving import Says, serving

from lakewarden.facts.gaps import Cause, Gap
from lakewarden.gate.act import Orders, carry_out
from lakewarden.gate.attestation.sign import Sealer, sealer
from lakewarden.gate.attestation.store import store
from lakewarden.gate.result import Outcome
from lakewarden.gate.run import judge
from lakewarden.sources.platform.wire import http
from lakewarden.sources.platform.wire.api import Api

if TYPE_CHECKING:
    from pathlib import Path

    from lakewarden.gate.result import GateResult

_DONE = ("@champion was moved from version 6 to version 7", "the version was tagged: lakewarden.gate")
_ACTED = replace(
    PASSED, kind="break-glass", ticket="OPS-1", reason="it burns", done=_DONE, attestation="out/m-7.vsa.dsse.json",
    attestation_sha256="ab" * 32,
)  # fmt: skip
FORMATS = ("text", "json", "markdown", "sarif", "junit")


@pytest.mark.parametrize(
    ("number", "table", "column"), [(8, "commit_reviews", "approved_by_other"), (9, "commit_checks", "succeeded")]
)
def test_what_a_git_host_did_not_tell_is_told_with_its_reason(number: int, table: str, column: str) -> None:
    told = story()
    told[table][0][column] = None
    asked = docket(told)
    # As the source writes it: about the commit, which is what the rule reads it by.
    asked.read.facts.gap(Gap(Cause.REFUSED, table, "the host hides it", "ask for it", "deployed", parent=COMMIT_KEY, value=True))
    (check,) = (one for one in judge(asked).checks if one.number == number)
    assert (check.outcome, check.remedy) == (Outcome.MISSING, "ask for it")
    assert "the host hides it" in check.said[0].message


def plain(name: str, made: GateResult) -> str:
    """A report without the marks of its format, and without the ends of lines."""
    text = report(name, made, width=400)
    return " ".join(text.replace("\\", "").replace("<!-- -->", "").replace("&#64;", "@").split())


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_tells_what_was_done(name: str) -> None:
    shown = plain(name, _ACTED).lower()
    for told in (*_DONE, "OPS-1", "it burns", "out/m-7.vsa.dsse.json", "ab" * 32):
        assert told.lower() in shown, told


@pytest.mark.parametrize("name", FORMATS)
def test_no_format_tells_of_what_was_not_done(name: str) -> None:
    for made in ALL:
        assert "attestation out" not in plain(name, made)
        assert "glass" not in plain(name, made)


def test_json_on_standard_output_is_nothing_but_json() -> None:
    found = json.loads(report("json", _ACTED))["acted"]
    assert found == {
        "done": list(_DONE),
        "attestation": {"path": "out/m-7.vsa.dsse.json", "sha256": "ab" * 32},
        "ticket": "OPS-1",
        "reason": "it burns",
    }


def test_checks_that_hold_are_not_told_as_nothing_checked() -> None:
    """The alias was not moved, so the gate does not end well, though every check does."""
    shown = plain("text", replace(result(), exit_code=3, done=("@champion was not moved: the server is away",)))
    assert "nothing was checked" not in shown
    assert "all checks hold, but not all that was asked for was done" in shown
    assert "@champion was not moved: the server is away." in shown


def test_no_token_is_in_what_is_stored(tmp_path: Path) -> None:
    """The credentials that were sent, wherever they came from, stand in no file: neither in rows nor in a reason."""
    token = "short-lived pa55word"  # noqa: S105
    told = story()
    told["runs"][0]["source_type"] = f"x {token}"
    policy = tmp_path / "lakewarden.toml"
    policy.write_text("", encoding="utf-8")
    asked = docket(told)
    read = asked.read._replace(secrets=frozenset({token}))
    asked = asked._replace(read=read, policy=replace(asked.policy, path=str(policy)), reason=f"with {token}", ticket="OPS-1")
    seen: list[bytes] = []

    def seal(payload: bytes) -> bytes:
        seen.append(payload)
        return sealer(None).seal(payload)

    made = carry_out(asked, Orders(tmp_path / "out", Sealer(seal)))
    assert made.attestation is not None
    assert len(seen) == 2
    store(replace(made, kind="break-glass"), tmp_path / "out", Sealer(seal), [token])
    stored = [path.read_bytes() for path in (tmp_path / "out").iterdir()]
    assert any(b"[removed]" in one for one in stored)
    assert any(b"LAKEWARDEN_BREAK_GLASS_REASON=with [removed]" in one for one in seen)
    assert not any(token.encode() in one for one in (*stored, *seen))


def test_the_credentials_that_were_sent_are_known() -> None:
    with serving([Says({})]) as server:
        api = http.connect(server.url, user="ann", password="pa55 word")  # noqa: S106
        assert "pa55 word" in api.secrets
        renewed = iter(("Bearer first-token", "Bearer second-token"))
        other = Api(server.url, lambda _: {"Authorization": next(renewed)})
        assert other.secrets == frozenset()
        other.get("/a", family="test")
        other.change("POST", "/b", {}, family="test")
    assert {"first-token", "second-token"} <= other.secrets
