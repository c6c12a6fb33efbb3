"""The source of code: extract each file, link all of them, write facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.errors import SourceError
from lakewarden.facts.collect import Skipped
from lakewarden.sources.extraction import Extractor, extract_all
from lakewarden.sources.repository.code import result
from lakewarden.sources.repository.code.extract import LANGUAGES, extract
from lakewarden.sources.repository.code.link import link
from lakewarden.sources.repository.code.result import Extract, Problem, Span

if TYPE_CHECKING:
    from lakewarden.facts.collect import Facts
    from lakewarden.sources.repository.code.linked import Linked
    from lakewarden.sources.source import Context
    from lakewarden.sources.tree import Entry

#: What is told of a file, each a list of its own.
LISTS = ("code_calls", "table_access", "code_literals", "code_loads", "feature_lookups", "reached_calls")

_READER = Extractor("code", extract, result)


class CodeSource:
    """Python files, notebooks and SQL files of a repository."""

    name = "code"
    plane = "declared"
    fills = frozenset({"files", *LISTS})
    needs: tuple[str, ...] = ()

    def read(self, context: Context, facts: Facts) -> None:
        """Read every file of code, and close imports over all of them."""
        extracts = _extracts(context, facts)
        linked = link(extracts, context)
        with facts.listing("files", *LISTS):
            _write(linked, facts)
        context.roles.update(linked.roles)
        context.extracts.update(extracts)
        context.code = linked.code


def _extracts(context: Context, facts: Facts) -> dict[str, Extract]:
    """The extract of each file of code, by path, in the order of the tree."""
    extracts: dict[str, Extract] = {}
    files: list[Entry] = []
    for entry in context.tree.files:
        path = entry.path
        suffix = path[path.rfind(".") :].lower()
        language = LANGUAGES.get(suffix)
        if language is None:
            continue
        extracts[path] = Extract(language, suffix == ".ipynb")
        if suffix in (".scala", ".r"):
            reason = f"{'Scala' if suffix == '.scala' else 'R'} is not read"
            facts.skipped.append(Skipped(path, "not read", reason))
            extracts[path] = Extract(language, False, (Problem("not-asked", reason, "", Span()),))
            continue
        files.append(entry)
    facts.files_read += len(files)
    for path, found in extract_all(files, context.tree, _READER, use_cache=context.use_cache).items():
        if isinstance(found, SourceError):
            facts.files_read -= 1
            problem = Problem(found.cause, found.reason, found.remedy, Span())
            extracts[path] = extracts[path]._replace(problems=(problem,))
        else:
            extracts[path] = found
    return extracts


def _write(linked: Linked, facts: Facts) -> None:
    facts.add(*linked.facts)
    for gap in linked.gaps:
        facts.gap(gap)
