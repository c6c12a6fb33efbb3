"""Asks a few objects of each kind only: enough to find out what the auditor may see, not what is there."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from lakewarden.sources.platform.wire.api import Api

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Rights differ from catalog to catalog, and what is said of one object is not cut.
_WHOLE = ("/catalogs", "/external-locations")
_PARTS = ("permissions/", "/bindings/", "/workspace-bindings/", "/Me")


class Sample(Api):
    """A host of which each list gives its first objects alone. What is found is no fact: lists look whole that are not."""

    def __init__(self, api: Api, most: int) -> None:
        self.__dict__.update(api.__dict__)
        self._most = most

    def pages(self, path: str, *rest: Any, **options: Any) -> Iterator[dict[str, Any]]:
        """The first objects of a list; all of what is asked catalog by catalog."""
        return self._cut(path, super().pages(path, *rest, **options))

    def linked(self, path: str, *rest: Any, **options: Any) -> Iterator[dict[str, Any]]:
        """The first objects of a list."""
        return self._cut(path, super().linked(path, *rest, **options))

    def scim(self, path: str, *rest: Any, **options: Any) -> Iterator[dict[str, Any]]:
        """The first resources of a list."""
        return self._cut(path, super().scim(path, *rest, **options))

    def _cut(self, path: str, found: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        whole = path.endswith(_WHOLE) or any(part in path for part in _PARTS)
        return found if whole else islice(found, self._most)
