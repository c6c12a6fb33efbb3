"""A request that passed the door, and the ways to answer it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.contract.estate import Estate
    from tests.contract.operations import Operation
    from tests.contract.paging import Pages
    from tests.contract.visibility import Principal


class Refused(Exception):  # noqa: N818 an answer, not a mistake
    """An error that the service would send."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Unseeded(Exception):  # noqa: N818 see Refused
    """Nobody said what there is; the server must not make it up."""


class Ask(NamedTuple):
    """Who asks what."""

    estate: Estate
    who: Principal
    operation: Operation
    parts: tuple[str, ...]
    query: dict[str, str]
    body: dict[str, Any]
    pages: Pages

    def given(self, key: str) -> str | None:
        """A parameter, wherever it stands."""
        value = self.body.get(key, self.query.get(key))
        return None if value is None else str(value)

    def flag(self, key: str) -> bool:
        return (self.given(key) or "").lower() == "true"

    def needed(self, key: str) -> str:
        if (value := self.given(key)) is None:
            raise Refused(400, "INVALID_PARAMETER_VALUE", f"Missing value for required parameter '{key}'.")
        return value


class Listing(NamedTuple):
    """A list to be sent in pages; `show` gives what is sent for an item, or None if the asker may not see it."""

    field: str
    items: Sequence[Any]
    show: Callable[[Any], dict[str, Any] | None] = lambda item: item
    limit: str = "max_results"  # the parameter that asks for a page size
    cursor: str = "page_token"  # the parameter that takes the token
    most: int | None = None  # more is refused, instead of cut
    least: int = 0  # less, except 0, is refused
    shuffled: bool = False
    more: bool = False  # also says `has_more`


class Resources(NamedTuple):
    """A list that is paged by SCIM's `startIndex` and `count`."""

    items: Sequence[dict[str, Any]]


class Deep(NamedTuple):
    """An object whose own lists are sent in pages; `inside` holds them, if not the object itself."""

    row: dict[str, Any]
    fields: tuple[str, ...]
    inside: str | None = None


Answer: TypeAlias = "dict[str, Any] | Listing | Resources | Deep | bytes"
Answers: TypeAlias = "dict[tuple[str, str], Callable[[Ask], Answer]]"


def missing(kind: str, name: str) -> Refused:
    """What Unity Catalog says of a name that it does not have."""
    return Refused(404, f"{kind.upper()}_DOES_NOT_EXIST", f"{kind.capitalize()} '{name}' does not exist.")


def absent(what: str) -> Refused:
    """What the other services say of an id that they do not have."""
    return Refused(404, "RESOURCE_DOES_NOT_EXIST", f"{what} does not exist.")


def denied(what: str) -> Refused:
    return Refused(403, "PERMISSION_DENIED", what)
