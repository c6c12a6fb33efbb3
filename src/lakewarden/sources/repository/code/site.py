"""The arguments of one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.code.values import UNKNOWN, Value

if TYPE_CHECKING:
    import ast

ABSENT = Value(type="absent")
#: The argument may be there, in `*args` or `**kwargs`.
HIDDEN = Value(type="hidden")


class Site(NamedTuple):
    """A call with what is known of its arguments. `spread` and `keywords_spread` tell `*args` and `**kwargs`."""

    node: ast.Call
    args: tuple[Value, ...]
    keywords: dict[str, Value]
    spread: bool
    keywords_spread: bool

    def get(self, place: tuple[str, int] | None) -> Value:
        """The argument at a place: ABSENT when it is not given, HIDDEN when it may be."""
        if place is None:
            return ABSENT
        keyword, position = place
        value = self.keywords.get(keyword)
        if value is not None:
            return value
        if 0 <= position < len(self.args):
            return self.args[position]
        if self.keywords_spread or (self.spread and position >= 0):
            return HIDDEN
        return ABSENT

    def given(self, keyword: str, position: int) -> Value:
        """The argument at a place, UNKNOWN when it is absent or hidden."""
        value = self.get((keyword, position))
        return UNKNOWN if value is ABSENT or value is HIDDEN else value


def is_given(value: Value) -> bool | None:
    """Is an argument given, and not None? NULL where it may be."""
    if value is ABSENT or (value.type == "const" and value.data is None):
        return False
    return None if value is HIDDEN else True
