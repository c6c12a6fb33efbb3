"""Sessions of Spark that a script makes itself: with a local master, paths are those of the machine that runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.sources.repository.code.places import data_address
from lakewarden.sources.repository.code.values import UNKNOWN, Value

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from lakewarden.sources.repository.code.result import Access
    from lakewarden.sources.repository.code.site import Site
    from lakewarden.sources.repository.code.state import State

LOCAL = "makes a local session"


def mastered(state: State, site: Site) -> Value:
    """`builder.master(…)`."""
    if (site.given("master", 0).text or "").startswith("local"):
        state.signs.add(LOCAL)
    return UNKNOWN


def placed(signs: Collection[str], accesses: Sequence[Access], *, notebook: bool) -> tuple[Access, ...]:
    """The accesses of a file. A notebook is given its session, whatever it says of its master."""
    if notebook or LOCAL not in signs:
        return tuple(accesses)
    return tuple(_of_local(one) for one in accesses)


def _of_local(found: Access) -> Access:
    if found.how != "path":
        return found
    address = data_address(found.same, spark=False) if found.address is not None else None
    return found._replace(how="file", address=address)
