"""No secret is in any text that somebody may read."""

from __future__ import annotations

import base64
import json
import string
import time
import traceback
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sources.platform.wire.serving import Asked, Says, Server, Time

from lakewarden.errors import UsageError
from lakewarden.sources.platform.wire.errors import WireError
from lakewarden.sources.platform.wire.http import connect
from lakewarden.sources.platform.wire.patience import Patience
from lakewarden.sources.platform.wire.redact import redact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_TOKEN = st.text(string.ascii_letters + string.digits + "-._~+/=", min_size=8, max_size=60)
_SECRET = "s3cr3t-value"  # noqa: S105


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Bearer {_SECRET}",
        f"authorization=Basic {_SECRET}",
        f"Invalid Bearer {_SECRET} in request",
        f'{{"token": "{_SECRET}"}}',
        f'{{"access_token":"{_SECRET}","expires":3600}}',
        json.dumps({"inner": json.dumps({"client_secret": _SECRET})}),
        f"{{'password': '{_SECRET}'}}",
        f"client_id=me&client_secret={_SECRET}&scope=all",
        f"https://user:{_SECRET}@host.example/path",
        f"https://{_SECRET}@host.example/path",
        f"https://host.example/?sig={_SECRET}&token={_SECRET}",
        f"PRIVATE-TOKEN: {_SECRET}",
        f"X-Api-Key: {_SECRET}",
        f"password: {_SECRET}, user: me",
        f"DATABRICKS_TOKEN={_SECRET}",
        f"AWS_SECRET_ACCESS_KEY = {_SECRET}",
        f"Cookie: a={_SECRET}",
        f"-----BEGIN RSA PRIVATE KEY-----\n{_SECRET}\n-----END",
    ],
)
def test_what_looks_like_a_secret_is_removed(text: str) -> None:
    assert _SECRET not in redact(text)


@pytest.mark.parametrize(
    "token",
    [
        "dapi" + "0123456789abcdef" * 2,
        "dapi" + "0123456789abcdef" * 2 + "-3",
        "ghp_" + "aB3" * 12,
        "github_pat_" + "aB3_" * 12,
        "glpat-" + "aB3-" * 5,
        "AKIA" + "ABCDEFGH12345678",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-def_123",
        "0123456789abcdef" * 2,
        "aB3" * 15,
    ],
)
def test_tokens_are_known_by_their_form(token: str) -> None:
    assert redact(f"the value {token} is wrong") == "the value [removed] is wrong"


@pytest.mark.parametrize(
    "text",
    [
        "User does not have READ METADATA on Metastore 'main'.",
        "Table 'prod.sales.orders' does not exist.",
        "Service principal 5f0c8a52-9f5e-4a3f-8f0e-2f3b8f1a9c11 lacks MANAGE.",
        "GET /api/2.1/unity-catalog/permissions/table/prod.sales.orders_2024_with_a_rather_long_name_v2",
        "RPC token bucket limit has been exceeded.",
        "Invalid access token.",
    ],
)
def test_what_helps_is_kept(text: str) -> None:
    assert redact(text) == text


def test_a_text_is_one_line_of_200_characters_at_most() -> None:
    told = redact("a\r\n\tb\x1b[31m\u202e" + " word" * 10_000)
    assert told.startswith("a b [31m word")
    assert len(told) == 200


@settings(deadline=None)
@given(st.text(), _TOKEN, st.text())
def test_a_known_secret_is_removed_in_every_spelling(before: str, token: str, after: str) -> None:
    for form in (token, quote(token, safe=""), json.dumps(token), base64.b64encode(token.encode()).decode()):
        assert token not in redact(f"{before}{form}{after}", [token])
        assert form.strip('"') not in redact(f"{before}{form}{after}", [token])


@settings(deadline=None)
@given(st.text(max_size=5000), st.lists(st.text(max_size=5), max_size=3))
def test_any_text_is_redacted(text: str, known: list[str]) -> None:
    assert len(redact(text, known)) <= 200


def test_a_secret_is_not_cut_in_two_by_the_limits() -> None:
    long = "x" * 3_990 + f" token={_SECRET * 3}"
    assert _SECRET[:6] not in redact(long)
    assert "a-known-secret"[:8] not in redact("y" * 3_994 + "a-known-secret", ["a-known-secret"])


@pytest.mark.parametrize(
    "text",
    ["x" * 9_999, "token" * 999, "a." * 2_000, "aA1" * 2_000, "token= " * 999, "x://" * 999, '\\"' * 2_000, "bearer " * 999],
)
def test_a_text_that_a_host_made_to_be_slow_is_not(text: str) -> None:
    started = time.process_time()
    redact(text, ["a-known-secret"])
    assert time.process_time() - started < 5


class _Echo:
    """Says back what it was sent, in the way that the test chooses."""

    def __init__(self) -> None:
        self.status, self.way = 400, "message"

    def __call__(self, asked: Asked) -> Says:
        sent = f"{asked.headers.get('authorization')} {asked.path} {asked.query} {asked.body.decode()}"
        bodies = {
            "message": {"error_code": sent[:80], "message": sent},
            "nested": {"error": {"code": sent, "message": sent}},
            "plain": sent.encode(),
            "html": f"<html>{sent}</html>".encode(),
            "cut": f'{{"message": "{sent}'.encode(),
            "scim": {"detail": sent},
        }
        place = {"Location": f"https://elsewhere.example/{quote(sent)}"} if self.status == 302 else {}
        return Says(bodies[self.way], self.status, place)


@pytest.fixture(scope="module")
def echo() -> Iterator[tuple[_Echo, Server]]:
    said = _Echo()
    server = Server(said)
    yield said, server
    server.stop()


@settings(max_examples=60, deadline=None)
@given(
    token=_TOKEN,
    status=st.sampled_from([200, 302, 400, 401, 403, 404, 429, 500, 501]),
    way=st.sampled_from(["message", "nested", "plain", "html", "cut", "scim"]),
    basic=st.booleans(),
)
def test_a_token_that_was_sent_is_in_no_error(echo: tuple[_Echo, Server], token: str, status: int, way: str, basic: bool) -> None:
    said, server = echo
    said.status, said.way = status, way
    clock = Time()
    patience = Patience(tries=2, throttled_tries=2)
    how = {"limits": clock.limiter({"test": 1e9}), "options": clock.options(patience)}
    login = {"user": "me", "password": token} if basic else {"token": token}
    api = connect(server.url, **login, **how)  # type: ignore[arg-type]
    _tells_nothing(token, lambda: list(api.pages("/x", "rows", {"access_token": token}, family="test")))
    _tells_nothing(token, lambda: api.post("/x", {"credentials": {"client_secret": token}}, family="test"))
    path = quote(token, safe="").replace(".", "x")
    _tells_nothing(token, lambda: list(api.linked(f"/{path}", family="test")))
    _tells_nothing(token, lambda: list(api.scim("/x", family="test")))


def _tells_nothing(token: str, ask: Callable[[], object]) -> None:
    try:
        ask()
    except WireError as error:
        problem = error
    else:
        return  # an object that holds an error is the asker's to judge
    for text in (problem.reason, problem.remedy, problem.code, problem.said, str(problem), repr(problem)):
        assert token not in text
    assert token not in "".join(traceback.format_exception(type(problem), problem, None))


def test_a_url_with_credentials_is_refused_without_repeating_them() -> None:
    with pytest.raises(UsageError) as caught:
        connect(f"https://me:{_SECRET}@host.example")
    assert _SECRET not in str(caught.value) + caught.value.advice
    with pytest.raises(UsageError) as caught:
        connect("https://host.example", token=f"{_SECRET}\n")
    assert _SECRET not in str(caught.value) + caught.value.advice
