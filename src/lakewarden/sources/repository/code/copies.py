"""The catalogs between which a call copies a version of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.sources.repository.code.values import HOLE

if TYPE_CHECKING:
    from lakewarden.sources.repository.code.apis import Api
    from lakewarden.sources.repository.code.site import Site

_URI = "models:/"


def catalogs(site: Site, about: Api, model_from: str | None) -> tuple[str | None, str | None]:
    """Tell the catalog of the version that is copied, and of the model that receives it.

    `none` for a name of one level, and where nothing is copied; None where it is not known.
    """
    source = site.get(about.model_source).text
    if model_from not in ("copy", None) or (source and not source.startswith((_URI, HOLE))):
        return "none", "none"
    copied = source.removeprefix(_URI).partition("@")[0].partition("/")[0] if source else None
    return _catalog(copied), _catalog(site.get(about.model).text)


def _catalog(name: str | None) -> str | None:
    """The first level of a model's name."""
    if not name:
        return None
    first, dot, _ = name.partition(".")
    if HOLE in first:
        return None
    return first.strip("` ").lower() if dot else "none"
