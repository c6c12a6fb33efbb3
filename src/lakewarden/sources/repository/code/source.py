"""The source of code: extract each file, link all of them, write facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.errors import SourceError
from lakewarden.facts.collect import Skipped
from lakewarden.sources.repository.code.extract import LANGUAGES, extract
from lakewarden.sources.repository.code.link import Linked, link
from lakewarden.sources.repository.code.result import Extract, Problem, Span

if TYPE_CHECKING:
    from lakewarden.facts.collect import Facts
    from lakewarden.sources.source import Context

#: What is told of a file, each a list of its own.
LISTS = ("code_calls", "table_access", "code_literals", "code_loads", "feature_lookups", "reached_calls")


class CodeSource:
    """Python files, notebooks and SQL files of a repository."""

    name = "code"
    plane = "declared"
    fills = frozenset({"files", *LISTS})
    needs: tuple[str, ...] = ()

    def read(self, context: Context, facts: Facts) -> None:
        """Read every file of code, and close imports over all of them."""
        extracts: dict[str, Extract] = {}
        for path, _ in context.tree.files:
            suffix = path[path.rfind(".") :].lower()
            if suffix not in LANGUAGES:
                continue
            extracts[path] = _extract(context, facts, path, suffix)
        linked = link(extracts, context)
        with facts.listing("files", *LISTS):
            _write(linked, facts)
        context.roles.update(linked.roles)


def _extract(context: Context, facts: Facts, path: str, suffix: str) -> Extract:
    language = LANGUAGES[suffix]
    if suffix in (".scala", ".r"):
        reason = f"{'Scala' if suffix == '.scala' else 'R'} is not read"
        facts.skipped.append(Skipped(path, "not read", reason))
        return Extract(language, False, (Problem("not-asked", reason, "", Span()),))
    try:
        data = context.tree.read(path)
    except SourceError as error:
        return Extract(language, suffix == ".ipynb", (Problem(error.cause, error.reason, error.remedy, Span()),))
    facts.files_read += 1
    return extract(data, path)


def _write(linked: Linked, facts: Facts) -> None:
    for fact in linked.facts:
        facts.add(fact)
    for gap in linked.gaps:
        facts.gap(gap)
