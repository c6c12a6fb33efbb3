"""A list is read to its end, or said not to be."""

# ruff: noqa: S106 (tokens of tests and of pages)

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sources.platform.wire.serving import Asked, Says, api_of, serving

from lakewarden.sources.platform.wire.errors import Failed, Truncated, WireError

if TYPE_CHECKING:
    from lakewarden.sources.platform.wire.api import Api


def _tables(api: Api, **how: Any) -> list[str]:
    return [row["name"] for row in api.pages("/tables", "tables", family="test", **how)]


def _page(*names: str, token: Any = None) -> dict[str, Any]:
    return {"tables": [{"name": name} for name in names], **({} if token is None else {"next_page_token": token})}


def _paged(pages: dict[str, dict[str, Any]]) -> Any:
    def answer(asked: Asked) -> Says:
        return Says(pages[asked.query.get("page_token", [""])[0]])

    return answer


def test_empty_pages_with_a_token_are_not_the_end() -> None:
    pages = {"": _page(token="1"), "1": _page("a", token="2"), "2": {"next_page_token": "3"}, "3": _page("b", token="")}
    with serving(_paged(pages)) as server:
        assert _tables(api_of(server)) == ["a", "b"]
        assert len(server.asked) == 4


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.text("ab", min_size=1, max_size=2), max_size=3), min_size=1, max_size=6))
def test_every_row_of_every_page_comes_once_and_in_order(rows: list[list[str]]) -> None:
    pages = {str(n or ""): _page(*names, token=str(n + 1) if n + 1 < len(rows) else None) for n, names in enumerate(rows)}
    with serving(_paged(pages)) as server:
        assert _tables(api_of(server)) == [name for names in rows for name in names]


@pytest.mark.parametrize(
    ("pages", "kind", "match"),
    [
        ({"": _page("a", token="1"), "1": _page("b", token="1")}, Truncated, "repeats a page token"),
        ({"": _page("a", token="1"), "1": _page("b", token="2"), "2": _page("c", token="1")}, Truncated, "repeats"),
        ({"": {**_page("a"), "has_more": True}}, Truncated, "there is more"),
        ({"": {"tables": {"name": "a"}}}, Failed, "no list of objects"),
        ({"": {"tables": ["a"]}}, Failed, "no list of objects"),
        ({"": {"tables": [{"name": "a"}, None]}}, Failed, "no list of objects"),
        ({"": _page("a", token={"x": 1})}, Failed, "no token"),
        ({"": {"error": "please log in"}}, Failed, "an error instead"),
        ({"": {"errors": [{"message": "no"}]}}, Failed, "an error instead"),
    ],
)
def test_a_list_without_an_end_is_no_list(pages: dict[str, Any], kind: type[WireError], match: str) -> None:
    with serving(_paged(pages)) as server, pytest.raises(kind, match=match):
        _tables(api_of(server))


def test_a_page_that_is_refused_or_cut_off_ends_the_list_in_an_error() -> None:
    for broken in (Says({}, 403), Says(b'{"tables": [{"na'), Says(b"<html>", 200), Says(b"", 404)):
        with serving([Says(_page("a", token="1")), broken]) as server:
            rows = api_of(server).pages("/tables", "tables", family="test")
            assert next(rows) == {"name": "a"}
            with pytest.raises(WireError):
                next(rows)


def test_a_list_that_never_ends_is_stopped() -> None:
    def answer(asked: Asked) -> Says:
        return Says(_page("a", token=str(int(asked.query.get("page_token", ["0"])[0]) + 1)))

    with serving(answer) as server:
        with pytest.raises(Truncated, match="does not end after 20 pages"):
            _tables(api_of(server), cap=20)
        assert len(server.asked) == 20


def test_a_missing_list_without_a_token_is_an_empty_page() -> None:
    with serving([Says({})]) as server:
        assert _tables(api_of(server)) == []
    with serving([Says({"tables": None})]) as server:
        assert _tables(api_of(server)) == []


def test_a_search_by_post_carries_its_token_in_the_body() -> None:
    def answer(asked: Asked) -> Says:
        body = json.loads(asked.body)
        assert body["filter"] == "x"
        return Says(_page("b") if body.get("page_token") == "1" else _page("a", token="1"))

    with serving(answer) as server:
        assert _tables(api_of(server), method="POST", body={"filter": "x"}) == ["a", "b"]


def test_a_token_may_stand_in_a_header() -> None:
    def answer(asked: Asked) -> Says:
        more = "continuationToken" not in asked.query
        return Says({"value": [{"name": "a" if more else "b"}]}, headers={"X-MS-ContinuationToken": "t"} if more else {})

    with serving(answer) as server:
        pages = api_of(server).pages(
            "/refs", "value", family="test", token_in="continuationToken", token_out="x-ms-continuationtoken"
        )
        assert [row["name"] for row in pages] == ["a", "b"]


def _linked(server_url: str, link: str) -> Any:
    def answer(asked: Asked) -> Says:
        last = asked.query.get("page") == ["2"]
        headers = {} if last else {"Link": link.format(url=server_url or f"http://{asked.headers['host']}")}
        return Says([{"name": "b" if last else "a"}], headers=headers)

    return answer


@pytest.mark.parametrize(
    "link",
    [
        '<{url}/branches?per_page=1&page=2>; rel="next", <{url}/branches?page=9>; rel="last"',
        '<{url}/branches?page=1>; rel="first", </branches?page=2>; title="a, b"; rel=next',
    ],
)
def test_arrays_are_followed_by_their_links(link: str) -> None:
    with serving(_linked("", link)) as server:
        rows = api_of(server).linked("/branches", {"per_page": 1}, family="test")
        assert [row["name"] for row in rows] == ["a", "b"]


@pytest.mark.parametrize(
    ("link", "match"),
    [("<https://elsewhere.example/branches?page=2>; rel=next", "another host"), ("<{url}/branches>; rel=next", "repeats")],
)
def test_links_do_not_lead_away_or_in_a_circle(link: str, match: str) -> None:
    with serving(_linked("", link)) as server, pytest.raises(Truncated, match=match):
        list(api_of(server).linked("/branches", family="test"))


def test_an_object_instead_of_an_array_is_no_empty_list() -> None:
    for body in ({"message": "no"}, {}, None, ["a"]):
        with serving([Says(body)]) as server, pytest.raises(Failed, match="no list"):
            list(api_of(server).linked("/branches", family="test"))


def _directory(people: int, *, count: int = 2, lie: int = 0, stuck: bool = False) -> Any:
    def answer(asked: Asked) -> Says:
        start = 1 if stuck else int(asked.query["startIndex"][0])
        rows = [{"id": str(n)} for n in range(start, min(people, start + count - 1) + 1)]
        return Says({"totalResults": people + lie, "startIndex": start, "itemsPerPage": len(rows), "Resources": rows})

    return answer


@pytest.mark.parametrize("people", [0, 1, 2, 3, 4, 7])
def test_scim_pages_are_read_to_their_total(people: int) -> None:
    with serving(_directory(people)) as server:
        rows = api_of(server).scim("/Users", {"attributes": "id"}, family="test")
        assert [row["id"] for row in rows] == [str(n + 1) for n in range(people)]
        assert all(asked.query["count"] == ["100"] and asked.query["attributes"] == ["id"] for asked in server.asked)


@pytest.mark.parametrize(
    ("answer", "kind", "match"),
    [
        (_directory(3, lie=2), Truncated, "3 of 5"),
        (_directory(3, stuck=True), Truncated, "repeats"),
        (lambda _: Says({"Resources": [{"id": "1"}]}), Failed, "totalResults"),
        (lambda _: Says({"totalResults": "2", "Resources": []}), Failed, "totalResults"),
        (lambda _: Says({"totalResults": 2, "Resources": {}}), Failed, "no list"),
        (lambda _: Says({"totalResults": 2}), Truncated, "0 of 2"),
    ],
)
def test_scim_lists_that_lack_somebody_are_no_lists(answer: Any, kind: type[WireError], match: str) -> None:
    with serving(answer) as server, pytest.raises(kind, match=match):
        list(api_of(server).scim("/Users", family="test"))


def test_a_directory_that_changes_while_it_is_read_is_read_again_by_somebody() -> None:
    def answer(asked: Asked) -> Says:
        start = int(asked.query["startIndex"][0])
        return Says({"totalResults": 4 if start == 1 else 3, "Resources": [{"id": str(n)} for n in (start, start + 1)]})

    with serving(answer) as server, pytest.raises(Truncated, match="changed from 4 to 3"):
        list(api_of(server).scim("/Users", family="test"))
