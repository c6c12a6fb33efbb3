"""What an answer stands for: never an empty list where it is no list."""

# ruff: noqa: S106 (tokens of tests and of pages)

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.sources.platform.wire.serving import Asked, Says, Time, api_of, serving

from lakewarden.errors import SourceError
from lakewarden.facts.collect import Facts
from lakewarden.facts.gaps import Cause
from lakewarden.sources.platform.wire.errors import Disabled, Failed, Missing, Refused, Truncated, WireError


def _get(*says: Says, right: str = "") -> tuple[WireError, int]:
    with serving(list(says)) as server:
        with pytest.raises(WireError) as caught:
            api_of(server).get("/api/2.1/unity-catalog/catalogs", family="test", right=right)
        return caught.value, len(server.asked)


def _error(code: str, message: str = "no") -> dict[str, str]:
    return {"error_code": code, "message": message}


@pytest.mark.parametrize(
    ("says", "kind", "cause"),
    [
        (Says(_error("PERMISSION_DENIED"), 403), Refused, Cause.REFUSED),
        (Says(_error("PERMISSION_DENIED"), 400), Refused, Cause.REFUSED),
        (Says(b"Forbidden", 403), Refused, Cause.REFUSED),
        (Says(b"<html>Forbidden</html>", 403), Refused, Cause.REFUSED),
        (Says({"message": "Resource not accessible by integration"}, 403), Refused, Cause.REFUSED),
        (Says(b"", 403), Refused, Cause.REFUSED),
        (Says(_error("UNAUTHENTICATED"), 401), Refused, Cause.REFUSED),
        (Says(b"", 401), Refused, Cause.REFUSED),
        (Says(_error("RESOURCE_DOES_NOT_EXIST"), 404), Missing, Cause.FAILED),
        (Says(_error("TABLE_DOES_NOT_EXIST"), 404), Missing, Cause.FAILED),
        (Says(b"<html>Not Found</html>", 404), Missing, Cause.FAILED),
        (Says({"message": "Not Found"}, 404), Missing, Cause.FAILED),
        (Says(_error("FEATURE_DISABLED"), 400), Disabled, Cause.FAILED),
        (Says(_error("ENDPOINT_NOT_FOUND"), 404), Disabled, Cause.FAILED),
        (Says(_error("NOT_IMPLEMENTED"), 501), Disabled, Cause.FAILED),
        (Says(b"", 501), Disabled, Cause.FAILED),
        (Says(_error("INTERNAL_ERROR"), 500), Failed, Cause.FAILED),
        (Says(_error("INVALID_PARAMETER_VALUE"), 400), Failed, Cause.FAILED),
        (Says(b"", 502), Failed, Cause.FAILED),
        (Says(b"", 504), Failed, Cause.FAILED),
        (Says(_error("REQUEST_LIMIT_EXCEEDED"), 429), Failed, Cause.FAILED),
        (Says(b"<!doctype html><title>Sign in</title>"), Failed, Cause.FAILED),
        (Says(b""), Failed, Cause.FAILED),
        (Says(b"", 204), Failed, Cause.FAILED),
        (Says(b"catalogs"), Failed, Cause.FAILED),
        (Says([]), Failed, Cause.FAILED),
        (Says(b"null"), Failed, Cause.FAILED),
        (Says(b"[" * 100_000), Truncated, Cause.TRUNCATED),
        (Says(b'{"catalogs": [{"name": "pro'), Truncated, Cause.TRUNCATED),
        (Says(b'{"catalogs": []}', length=1000), Truncated, Cause.TRUNCATED),
        (Says(_error("PERMISSION_DENIED")), Refused, Cause.REFUSED),
        (Says(_error("CATALOG_DOES_NOT_EXIST")), Missing, Cause.FAILED),
        (Says({"error_code": "SOMETHING"}), Failed, Cause.FAILED),
    ],
    ids=lambda value: str(value)[:60] if isinstance(value, Says) else None,
)
def test_an_answer_that_is_no_object_is_an_error_of_its_kind(says: Says, kind: type[WireError], cause: Cause) -> None:
    problem, _ = _get(says)
    assert type(problem) is kind
    assert Cause(problem.cause) is cause
    assert "\n" not in problem.reason
    assert isinstance(problem, SourceError)


def test_no_grant_reaches_a_catalog_that_is_bound_elsewhere() -> None:
    bound = Says(_error("PERMISSION_DENIED", "Catalog 'prod' is not accessible in current workspace."), 403)
    assert "--workspace" in _get(bound)[0].remedy
    assert "grant" in _get(Says(_error("PERMISSION_DENIED"), 403))[0].remedy


def test_each_becomes_a_gap_of_its_listing_and_never_a_complete_list() -> None:
    with serving([Says(_error("PERMISSION_DENIED", "User lacks READ METADATA"), 403)]) as server:
        facts, api = Facts(), api_of(server)
        with facts.listing("catalogs", plane="deployed"):
            for _ in api.pages("/catalogs", "catalogs", family="test", right="READ METADATA on the metastore"):
                raise AssertionError
    assert facts.complete == set()
    (gap,) = facts.gaps
    assert gap.cause is Cause.REFUSED
    assert gap.remedy == "grant READ METADATA on the metastore"
    assert "User lacks READ METADATA" in gap.reason


def test_a_remedy_names_the_right_that_the_collector_knows() -> None:
    problem, requests = _get(Says(_error("PERMISSION_DENIED"), 403), right="MANAGE on prod")
    assert problem.remedy == "grant MANAGE on prod"
    assert (problem.status, problem.code, problem.said) == (403, "PERMISSION_DENIED", "no")
    assert requests == 1


def test_an_object_that_was_listed_and_is_not_there_is_sought_once_more() -> None:
    gone = Says(_error("RESOURCE_DOES_NOT_EXIST"), 404)
    assert _get(gone)[1] == 2
    with serving([gone, Says({"name": "prod"})]) as server:
        assert api_of(server).get("/x", family="test") == {"name": "prod"}
    assert _get(Says({"message": "Not Found"}, 404))[1] == 1


def test_a_token_that_expired_is_renewed_once() -> None:
    renewals: list[bool] = []

    def answer(asked: Asked) -> Says:
        return Says({"ok": True}) if asked.headers["authorization"] == "Bearer new" else Says(b"", 401)

    from lakewarden.sources.platform.wire.api import Api

    def headers(renew: bool) -> dict[str, str]:
        renewals.append(renew)
        return {"Authorization": "Bearer new" if renew else "Bearer old"}

    time = Time()
    with serving(answer) as server:
        api = Api(server.url, headers, limits=time.limiter(), options=time.options())
        assert api.get("/x", family="test") == {"ok": True}
        assert renewals == [False, True]
        with pytest.raises(Refused):
            api_of(server, token="always-old").get("/x", family="test")
        assert len(server.asked) == 4


def test_a_reason_holds_no_more_than_200_characters_of_what_the_host_said() -> None:
    problem, _ = _get(Says(_error("X", "words " * 100_000), 400))
    assert len(problem.reason) < 400
    assert len(problem.said) == 200


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": {"code": "NotFound", "message": "inner"}}, "inner"),
        ({"detail": "of SCIM", "status": "400"}, "of SCIM"),
        ({"error": "invalid_client", "error_description": "described"}, "described"),
        ({"message": {"base": ["no"]}}, ""),
        (["a", "list"], ""),
    ],
)
def test_the_message_of_each_kind_of_host_is_found(body: Any, said: str) -> None:
    problem, _ = _get(Says(body, 400))
    assert problem.said == said


def test_redirects_stay_on_the_host_and_no_credentials_leave_it() -> None:
    with serving([Says({"stolen": True})]) as other:

        def answer(asked: Asked) -> Says:
            if asked.path == "/old":
                return Says(b"", 301, {"Location": "/new?page=2"})
            if asked.path == "/loop":
                return Says(b"", 302, {"Location": "/loop"})
            if asked.path == "/away":
                return Says(b"", 302, {"Location": f"{other.url}/login?token=secret-in-location"})
            return Says({"page": asked.query.get("page")})

        with serving(answer) as server:
            api = api_of(server)
            assert api.get("/old", family="test") == {"page": ["2"]}
            with pytest.raises(Failed, match="redirected") as caught:
                api.get("/away", family="test")
            assert "secret-in-location" not in caught.value.reason
            with pytest.raises(Failed, match="redirected"):
                api.get("/loop", family="test")
        assert other.asked == []


@pytest.mark.parametrize("path", ["no-slash", "/a/../b", "/a?b=c", "/a#b", "/a b", "/./a", "/a\nb"])
def test_a_name_in_a_path_cannot_ask_for_something_else(path: str) -> None:
    with serving([Says({})]) as server:
        with pytest.raises(Failed, match="malformed"):
            api_of(server).get(path, family="test")
        assert server.asked == []


def test_parameters_are_written_as_the_api_reads_them() -> None:
    with serving([Says({})]) as server:
        query = {"flag": True, "none": None, "filter_by": {"user_ids": [1, 2]}, "name": "a b&c"}
        api_of(server).get("/x", query, family="test")
        expected = {"flag": ["true"], "filter_by.user_ids": ["1", "2"], "name": ["a b&c"]}
        assert server.asked[0].query == expected
        api_of(server).post("/x", {"max_results": 5}, family="test")
        assert json.loads(server.asked[1].body) == {"max_results": 5}
        assert server.asked[1].headers["user-agent"].startswith("lakewarden/")


def test_a_file_is_downloaded_up_to_a_size() -> None:
    with serving([Says(bytes(range(256)) * 1000, headers={"X-Databricks-Org-Id": "123"})]) as server:
        api = api_of(server)
        assert api.download("/file", family="test") == bytes(range(256)) * 1000
        with pytest.raises(Truncated, match="larger than 1,000 bytes"):
            api.download("/file", family="test", most=1000)
        assert api.headers("/file", family="test")["x-databricks-org-id"] == "123"
