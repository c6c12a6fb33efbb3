"""The contract of a source."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakewarden.facts.collect import Facts
    from lakewarden.policy.model import Policy
    from lakewarden.sources.repository.code.linked import Code
    from lakewarden.sources.repository.code.result import Extract
    from lakewarden.sources.repository.layout import Layout
    from lakewarden.sources.tree import Tree
    from lakewarden.sources.yaml_nodes import Map


class Launch(NamedTuple):
    """What a task starts a file of code with, in one target.

    `values` are by kind (`widget`, `option`, `argv`, `env`, `conf`) and name; None where a value is not known before the
    job runs. What is not among them has its default where they are the `whole`. `entity` is `JOB` or `PIPELINE`.
    """

    target: str
    project: str
    values: Mapping[tuple[str, str], str | None]
    entity: str
    whole: bool = True


@dataclass
class Context:
    """What sources read from, and what earlier sources tell later ones.

    `layout` knows which project a path belongs to; `roles` holds the roles of each file of code by its path, `extracts` what was
    read of it,
    `use_cache` whether what reading a file gave may be taken from an earlier run, `outputs` what the bundle tool resolved
    for a target, by the bundle's root file and the target's name.
    `code` is what the code source found, `launches` what tasks start files of code with, by the path of the file.
    """

    tree: Tree
    policy: Policy
    layout: Layout
    roles: dict[str, frozenset[str]] = field(default_factory=dict)
    extracts: dict[str, Extract] = field(default_factory=dict)
    use_cache: bool = True
    code: Code | None = None
    launches: dict[str, list[Launch]] = field(default_factory=dict)
    outputs: Mapping[tuple[str, str], Map] = field(default_factory=dict)


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
