"""The contract of a source."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from lakewarden.facts.collect import Facts
    from lakewarden.policy.model import Policy
    from lakewarden.sources.repository.layout import Layout
    from lakewarden.sources.tree import Tree


@dataclass
class Context:
    """What sources read from, and what earlier sources tell later ones.

    `layout` knows which project a path belongs to; `roles` holds the roles of each file of code by its path,
    `use_cache` whether what reading a file gave may be taken from an earlier run.
    """

    tree: Tree
    policy: Policy
    layout: Layout
    roles: dict[str, frozenset[str]] = field(default_factory=dict)
    use_cache: bool = True


class Source(Protocol):
    """Reads one kind of thing. `fills` names the fact tables that it can fill; a table that no source of a command
    fills is not asked about. `needs` lists calls and rights, for `doctor` and the documentation.
    """

    name: str
    plane: str
    fills: frozenset[str]
    needs: tuple[str, ...]

    def read(self, context: Context, facts: Facts) -> None:
        """Write what is there into `facts`; what cannot be read becomes a gap. Raises nothing but bugs."""
