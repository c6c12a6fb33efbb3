"""The files of a bundle: its root file and what it includes, merged into one configuration."""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_left
from dataclasses import dataclass, field
from fnmatch import translate
from glob import escape
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.errors import SourceError
from lakewarden.facts.gaps import Cause
from lakewarden.facts.origin import Origin
from lakewarden.sources.repository.bundle.merge import is_null, merge_maps
from lakewarden.sources.repository.bundle.tables import touched
from lakewarden.sources.yaml_nodes import List, Map, Scalar, place_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lakewarden.sources.repository.layout import Bundle, Documents
    from lakewarden.sources.tree import Tree
    from lakewarden.sources.yaml_nodes import Node

_TEMPLATES = (".tmpl", ".j2", ".jinja", ".jinja2")
_CONFIGURATION = (".yml", ".yaml", ".json")
_WILD = re.compile(r"[*?\[]")
_TARGETS = ("targets", "environments")
#: What is told of a file that a pattern matches and that is known, but not read; and of a folder whose files are not known.
_UNREAD = {
    "excluded": (Cause.NOT_ASKED, "is excluded by the policy", "exclude nothing that a bundle includes"),
    "not checked out": (Cause.NOT_ASKED, "is not checked out", "run `git sparse-checkout disable`"),
    "link": (Cause.FAILED, "is a link that leads nowhere or out of the repository", "put the file into the repository"),
}
_SKIPPED = frozenset({"vendored", "generated"})
#: Links may lead in circles.
_MAX_PATTERNS = 100
_CLOSED = {
    "unreadable": (Cause.FAILED, "give this user the right to read it"),
    "repository": (Cause.NOT_ASKED, "check it out, or run at a folder that holds its files"),
}


class Trouble(NamedTuple):
    """A part of the configuration that could not be read.

    `value`: one value is lost, and no list is the shorter for it. `tables` are those whose lists are; None for all.
    """

    cause: Cause
    reason: str
    remedy: str
    origin: Origin | None
    value: bool = False
    tables: frozenset[str] | None = None


class Note(NamedTuple):
    """Something that is not read, which is no fault: a template, a pattern that matches nothing."""

    path: str
    kind: str
    reason: str


@dataclass
class Configuration:
    """What the files of a bundle say together."""

    root: Map
    files: list[str]
    troubles: list[Trouble] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def load(bundle: Bundle, tree: Tree, documents: Documents) -> Configuration:
    """Read a bundle.

    Raises:
        SourceError: its root file cannot be read.
    """
    root = _mapping(bundle.path, documents)
    found = Configuration(root, [bundle.path])
    _tell_empty(bundle.path, documents, found)
    _tell_misfits(root, found)
    _tell_duplicates(bundle.path, documents, found)
    for further in bundle.further:
        reason = f"{further} stands beside {bundle.path}: a bundle has one root file"
        found.troubles.append(Trouble(Cause.FAILED, reason, "remove one of the two", Origin(further), value=True))
    for path in _included(bundle, root, tree, documents.paths, found):
        part = _part(path, documents, found)
        if part is None:
            continue
        _tell_empty(path, documents, found)
        _tell_misfits(part, found)
        _tell_duplicates(path, documents, found)
        if part.get("include") is not None:
            found.notes.append(Note(path, "include", "`include` counts only in the root file of a bundle"))
        found.files.append(path)
        found.root = merge_maps(found.root, part)
    declared = found.root.items
    if documents.load(bundle.path).root is not None and all(is_null(declared.get(key)) for key in ("bundle", *_TARGETS)):
        reason = f"{bundle.path}: it declares neither `bundle` nor `targets`"
        found.troubles.append(Trouble(Cause.FAILED, reason, "give the bundle a name and targets", Origin(bundle.path)))
    return found


def _part(path: str, documents: Documents, found: Configuration) -> Map | None:
    """What an included file says; None, and told, where it cannot be read."""
    try:
        return _mapping(path, documents)
    except SourceError as problem:
        found.troubles.append(Trouble(Cause(problem.cause), problem.reason, problem.remedy, place_of(problem, path)))
        return None


def _mapping(path: str, documents: Documents) -> Map:
    root = documents.load(path).root
    if root is None:
        return Map(path, 1, 1, 1)
    if not isinstance(root, Map):
        raise SourceError(
            "failed", f"{path}:{root.line}:{root.column}: a bundle file is a mapping, and this is none", "mend the file"
        )
    return root


def _tell_empty(path: str, documents: Documents, found: Configuration) -> None:
    """A file of nothing but comments declares nothing; one that was cut off by an accident looks the same."""
    if documents.load(path).root is None:
        found.notes.append(Note(path, "empty", f"{path} says nothing"))


def _tell_misfits(part: Map, found: Configuration) -> None:
    """The sections that hold all others, where they are not of the kind that they have to be: what they mean is lost."""
    for section in _TARGETS:
        targets = part.get(section)
        if isinstance(targets, Map):
            for node in targets.items.values():
                if not isinstance(node, Map) and not is_null(node):
                    _tell_misfit(node, f"target {node.key} has to be a mapping", found)
        elif targets is not None and not is_null(targets):
            _tell_misfit(targets, f"`{section}` has to be a mapping", found)
    include = part.get("include")
    if include is None or is_null(include):
        return
    if not isinstance(include, List):
        _tell_misfit(include, "`include` has to be a list", found)
        return
    for entry in include.items:
        if not isinstance(entry, Scalar) or entry.is_null:
            _tell_misfit(entry, "an entry of `include` has to be a path", found)


def _tell_misfit(node: Node, what: str, found: Configuration) -> None:
    reason = f"{node.path}:{node.key_line}: {what}"
    found.troubles.append(Trouble(Cause.FAILED, reason, "mend the file", node.origin))


def _tell_duplicates(path: str, documents: Documents, found: Configuration) -> None:
    """A key that stands twice loses its first value: a single value is one loss, a block may have held anything."""
    for duplicate in documents.load(path).duplicates:
        reason = f"{path}:{duplicate.line}:{duplicate.column}: key {duplicate.key} stands here for the second time (first: line {duplicate.lost.key_line})"
        origin = duplicate.lost.origin._replace(line=duplicate.line, column=duplicate.column, end_line=duplicate.line)
        single = isinstance(duplicate.lost, Scalar)
        tables = None if single else touched(duplicate.lost.keys_above)
        found.troubles.append(Trouble(Cause.FAILED, reason, "remove one of the two", origin, single, tables))


def _included(bundle: Bundle, root: Map, tree: Tree, paths: Sequence[str], found: Configuration) -> Iterator[str]:
    """The files that the root file includes, each once, in the order in which they count."""
    include = root.get("include")
    seen = {bundle.path}
    for entry in include.items if isinstance(include, List) else ():
        if not isinstance(entry, Scalar) or entry.is_null:
            continue
        for path in _matches(bundle, entry, tree, paths, found):
            if path not in seen:
                seen.add(path)
                yield path


def _matches(bundle: Bundle, entry: Scalar, tree: Tree, paths: Sequence[str], found: Configuration) -> list[str]:
    pattern = posixpath.normpath(posixpath.join(bundle.folder, entry.text.replace("\\", "/")))
    if pattern.startswith(("../", "/")) or pattern == "..":
        reason = f"{bundle.path}:{entry.line}: include {entry.text} leaves the repository"
        found.troubles.append(Trouble(Cause.FAILED, reason, "run at a folder that holds the included files", entry.origin))
        return []
    if "${" in pattern:
        reason = f"{bundle.path}:{entry.line}: include {entry.text} depends on a variable, and the bundle tool takes none here"
        found.troubles.append(Trouble(Cause.UNRESOLVED, reason, "write the path out", entry.origin))
        return []
    wild = _WILD.search(pattern) is not None
    patterns = _through_links(pattern, tree)
    hits = _reached(patterns, tree, paths) if wild else _literal(pattern, tree)
    lost = list(_unread(bundle, entry, patterns, tree)) if wild else []
    found.troubles.extend(lost)
    templates = _templates(pattern, hits, tree)
    for path in templates:
        found.notes.append(Note(path, "template", f"{bundle.path} includes it, and it means nothing until it is rendered"))
        reason = f"{path} is a template that was not rendered; {bundle.path}:{entry.line} includes what it makes"
        found.troubles.append(Trouble(Cause.UNRESOLVED, reason, "render it before the check", entry.origin))
    for path in hits:
        if not path.endswith(_CONFIGURATION) and path not in templates and wild:
            found.notes.append(Note(path, "include", f"{bundle.path}:{entry.line} includes it, and it is neither YAML nor JSON"))
    if not hits and not templates and not lost:
        deeper = "**" in pattern and bool(
            _glob(pattern.replace("**/", "*/*/"), paths) or _glob(pattern.replace("**/", ""), paths)
        )
        _tell_nothing(bundle, entry, pattern, found, wild=wild, deeper=deeper)
    return [path for path in hits if path.endswith(_CONFIGURATION)]


def _tell_nothing(bundle: Bundle, entry: Scalar, pattern: str, found: Configuration, *, wild: bool, deeper: bool) -> None:
    if not wild:
        reason = f"{pattern} is not there, and {bundle.path}:{entry.line} includes it"
        found.troubles.append(Trouble(Cause.FAILED, reason, "add the file, or take it out of `include`", entry.origin))
        return
    hint = "; here `**` spans exactly one folder" if deeper else ""
    found.notes.append(Note(bundle.path, "include", f"line {entry.line}: include {entry.text} matches no file{hint}"))


def _through_links(pattern: str, tree: Tree) -> list[str]:
    """The pattern, and what it comes to behind the links that it matches."""
    found = [pattern]
    for known in found:
        parts = known.split("/")
        for link, real in tree.links.items():
            size = link.count("/") + 1
            if size <= len(parts) and _glob("/".join(parts[:size]), [link]):
                behind = "/".join([*([escape(real)] if real else []), *parts[size:]])
                if behind not in found and len(found) < _MAX_PATTERNS:
                    found.append(behind)
    return found


def _reached(patterns: Sequence[str], tree: Tree, paths: Sequence[str]) -> list[str]:
    """The files that patterns match: those of the tree, and those of folders that are skipped unless somebody names them."""
    skipped = tree.left_out_for(_SKIPPED)
    return sorted({path for pattern in patterns for path in (*_glob(pattern, paths), *_glob(pattern, skipped))})


def _unread(bundle: Bundle, entry: Scalar, patterns: Sequence[str], tree: Tree) -> Iterator[Trouble]:
    """What patterns match, or may match, and nobody reads."""
    known = tree.left_out_for(frozenset(_UNREAD))
    for path in sorted({path for pattern in patterns for path in _glob(pattern, known)}):
        cause, what, remedy = _UNREAD[tree.left_out[path]]
        yield Trouble(cause, f"{path} {what}, and {bundle.path}:{entry.line} includes it", remedy, entry.origin)
    for skip in tree.skipped:
        if skip.kind in _CLOSED and any(_may_reach(pattern, skip.path) for pattern in patterns):
            cause, remedy = _CLOSED[skip.kind]
            reason = f"{skip.path}: {skip.reason}; {bundle.path}:{entry.line} may include files of it"
            yield Trouble(cause, reason, remedy, entry.origin)


def _may_reach(pattern: str, folder: str) -> bool:
    """May a pattern match a file below a folder?"""
    parts, above = pattern.split("/"), folder.split("/")
    return len(parts) > len(above) and bool(_glob("/".join(parts[: len(above)]), [folder]))


def _literal(path: str, tree: Tree) -> list[str]:
    real = tree.real(path)
    return [real] if real is not None and tree.exists(real) and not tree.is_dir(real) else []


def _glob(pattern: str, paths: Sequence[str]) -> list[str]:
    """Of sorted paths those that a pattern matches, segment by segment; `**` is no more than `*`, as in the bundle tool."""
    parts = pattern.split("/")
    fixed = 0
    while fixed < len(parts) - 1 and not _WILD.search(parts[fixed]):
        fixed += 1
    prefix = "".join(f"{part}/" for part in parts[:fixed])
    tests = [re.compile(translate(part.replace("**", "*"))) for part in parts[fixed:]]
    found = []
    for path in paths[bisect_left(paths, prefix) :]:
        if not path.startswith(prefix):
            break
        rest = path[len(prefix) :].split("/")
        if len(rest) == len(tests) and all(test.match(part) for test, part in zip(tests, rest, strict=True)):
            found.append(path)
    return found


def _templates(pattern: str, hits: Sequence[str], tree: Tree) -> list[str]:
    """Templates that the pattern matches, or whose rendered file it would match and that was not rendered."""
    skipped = [skip.path for skip in tree.skipped if skip.kind == "template" and skip.path.endswith(_TEMPLATES)]
    candidates = [*skipped, *(path for path in hits if path.endswith(_TEMPLATES))]
    if not candidates:
        return []
    rendered = {path.rpartition(".")[0]: path for path in candidates}
    matched = {rendered[path] for path in _glob(pattern, sorted(rendered)) if path not in hits and not tree.exists(path)}
    return sorted(matched.union(_glob(pattern, sorted(candidates))))
