"""Pages as the services cut them: small, with opaque tokens, sometimes empty, and never in a promised order."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, overload

from tests.contract.asking import Refused

if TYPE_CHECKING:
    from tests.contract.asking import Ask, Deep, Listing

_SALT = b"contract"
_T = TypeVar("_T")


class Pages(NamedTuple):
    """How the server cuts lists."""

    size: int = 2
    empty: tuple[int, ...] = (0,)  # the numbers of pages that hold nothing and go on
    seed: int = 0
    chunk: int = 3  # rows of a statement's result


class Place(NamedTuple):
    """Where in a list a request stands."""

    offset: int = 0
    page: int = 0
    nonce: int = 0


class Pager:
    """Cuts lists into pages and knows its own tokens again."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        self._nonces = itertools.count()

    def place(self, ask: Ask, cursor: str = "page_token") -> Place:
        """Where the request's token points; a token of another list, or one made up, is refused."""
        given = ask.given(cursor)
        if not given:
            return Place(nonce=next(self._nonces))
        try:
            offset, page, nonce, mark = json.loads(base64.urlsafe_b64decode(given.encode()))
        except ValueError:
            mark = offset = page = nonce = None
        if mark != _mark(ask, cursor, [offset, page, nonce]):
            raise Refused(400, "INVALID_PARAMETER_VALUE", "Invalid page token.")
        return Place(offset, page, nonce)

    def cut(self, ask: Ask, listing: Listing, *, again: bool = False) -> dict[str, Any]:
        """One page; with `again`, its token leads back to itself."""
        size = _size(ask, listing, self.pages.size)
        place = self.place(ask, listing.cursor)
        items: Sequence[Any] = listing.items
        if listing.shuffled:
            items = random.Random(f"{self.pages.seed}:{place.nonce}").sample(items, len(items))  # noqa: S311 an order
        end = place.offset if place.page in self.pages.empty else min(place.offset + size, len(items))
        shown = [listing.show(items[index]) for index in range(place.offset, end)]
        body: dict[str, Any] = {}
        if found := [item for item in shown if item is not None]:
            body[listing.field] = found
        if again or end < len(items):
            following = place if again else Place(end, place.page + 1, place.nonce)
            body["next_page_token"] = _token(ask, listing.cursor, following)
        return body | ({"has_more": "next_page_token" in body} if listing.more else {})

    def scim(self, ask: Ask, items: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """One page by `startIndex` and `count`; the server gives fewer than asked for."""
        start = max(int(ask.given("startIndex") or 1), 1)
        size = min(int(ask.given("count") or self.pages.size), self.pages.size)
        found = items[start - 1 : start - 1 + size]
        head: dict[str, Any] = {"totalResults": len(items), "startIndex": start, "itemsPerPage": len(found)}
        return head | ({"Resources": list(found)} if found else {})

    def page(self, ask: Ask) -> int:
        """The number of the page that is asked for, from 0, for scripted faults."""
        if start := ask.given("startIndex"):
            return (max(int(start), 1) - 1) // self.pages.size
        cursor = "next_page_token" if "next_page_token" in ask.operation.query else "page_token"
        try:
            return self.place(ask, cursor).page if ask.given(cursor) else 0
        except Refused:
            return 0

    def deep(self, ask: Ask, whole: Deep, *, again: bool = False) -> dict[str, Any]:
        """A page of an object whose own lists are long: jobs and job runs."""
        place = self.place(ask)
        holder = whole.row[whole.inside] if whole.inside else whole.row
        longest = max((len(holder.get(field, ())) for field in whole.fields), default=0)
        end = place.offset + self.pages.size
        page = {key: value for key, value in holder.items() if key not in whole.fields}
        page |= {field: cut for field in whole.fields if (cut := holder.get(field, [])[place.offset : end])}
        page = whole.row | {whole.inside: page} if whole.inside else page
        if again or end < longest:
            following = place if again else Place(end, place.page + 1, place.nonce)
            page |= {"has_more": True, "next_page_token": _token(ask, "page_token", following)}
        return page


class Chained(Sequence[_T]):
    """Several lists read as one, without copying them."""

    def __init__(self, lists: Sequence[Sequence[_T]]) -> None:
        self._lists = lists
        self._ends = list(itertools.accumulate(map(len, lists)))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, index: int) -> _T: ...
    @overload
    def __getitem__(self, index: slice) -> list[_T]: ...
    def __getitem__(self, index: int | slice) -> _T | list[_T]:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        for part, end in zip(self._lists, self._ends, strict=True):
            if index < end:
                return part[index - end + len(part)]
        raise IndexError(index)


def _size(ask: Ask, listing: Listing, size: int) -> int:
    try:
        asked = int(ask.given(listing.limit) or 0)
    except ValueError:
        asked = -1
    if asked < 0 or 0 < asked < listing.least or (listing.most is not None and asked > listing.most):
        raise Refused(400, "INVALID_PARAMETER_VALUE", f"{listing.limit} is out of range.")
    return min(asked or size, size)


def _token(ask: Ask, name: str, place: Place) -> str:
    return base64.urlsafe_b64encode(json.dumps([*place, _mark(ask, name, list(place))]).encode()).decode()


def _mark(ask: Ask, name: str, place: list[Any]) -> str:
    sent = {key: str(value) for key, value in {**ask.query, **ask.body}.items() if key != name}
    text = json.dumps([ask.who.name, ask.operation.template, ask.parts, sent, place], sort_keys=True)
    return hashlib.blake2b(text.encode(), key=_SALT, digest_size=8).hexdigest()
