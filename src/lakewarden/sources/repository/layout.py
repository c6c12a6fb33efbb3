"""Which project a path belongs to: bundles and their folders, named by the policy or by themselves."""

from __future__ import annotations

import re
from collections import Counter
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.errors import SourceError, UsageError
from lakewarden.sources.yaml_nodes import Document, Map, Scalar, compose

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lakewarden.policy.model import Policy
    from lakewarden.sources.repository.bundle.installs import Install
    from lakewarden.sources.tree import Tree

#: What lies outside every bundle belongs to this project.
REPOSITORY = "repository"

#: Names of a bundle's root file; the first in this order counts where a folder holds several.
ROOT_FILES = ("databricks.yml", "databricks.yaml", "bundle.yml", "bundle.yaml")

_CERTAIN = frozenset(ROOT_FILES[:2])
_BUNDLE_KEYS = frozenset({"bundle", "targets", "environments"})
_LIKE_A_BUNDLE = re.compile(r"""^[{\s]*["']?(?:bundle|targets|environments)["']?\s*:""", re.MULTILINE)


class Bundle(NamedTuple):
    """A bundle: its root file, its folder (`""` at the root of the tree), the project it belongs to.

    `further` are other root files of the folder, which the bundle tool refuses; `claims` the projects of the policy that
    claim it, if they are several; `name` is what it calls itself, None where that is not written out.
    """

    path: str
    folder: str
    project: str
    further: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    name: str | None = None


class Documents:
    """The YAML files of a tree, each read once: its document, or the error that reading it gave.

    `paths` are those of all files of the tree, sorted; `installs` what notebooks install that were looked into.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.paths = [entry.path for entry in tree.files]
        self.installs: dict[str, list[Install]] = {}
        self._read: dict[str, Document | SourceError] = {}
        self._named: dict[tuple[str, ...], list[str]] = {}

    def named(self, names: tuple[str, ...]) -> list[str]:
        """The paths of all files with one of the names, sorted."""
        found = self._named.get(names)
        if found is None:
            found = self._named[names] = [path for path in self.paths if path.rpartition("/")[2] in names]
        return found

    def load(self, path: str) -> Document:
        """The document of a file.

        Raises:
            SourceError: the file cannot be read, or is no YAML.
        """
        found = self._read.get(path)
        if found is None:
            try:
                found = compose(self._tree.text(path), path)
            except SourceError as problem:
                found = problem
            self._read[path] = found
        if isinstance(found, SourceError):
            raise found
        return found


class Layout:
    """The bundles of a tree and the projects of its paths. It does not depend on where the tree lies."""

    def __init__(self, bundles: tuple[Bundle, ...], projects: tuple[str, ...], documents: Documents) -> None:
        self.bundles = bundles
        self.projects = projects
        self.documents = documents
        self._of_folder: dict[str, str] = {bundle.folder: bundle.project for bundle in bundles}

    @classmethod
    def of_tree(cls, tree: Tree, policy: Policy) -> Layout:
        """Find the bundles of a tree and name their projects."""
        documents = Documents(tree)
        found = _root_files(tree, documents)
        layout = cls(_named(found, policy, documents), (), documents)
        projects = {bundle.project: None for bundle in layout.bundles}
        if any(layout.project_of(entry.path) == REPOSITORY for entry in tree.files):
            projects[REPOSITORY] = None
        layout.projects = tuple(projects)
        return layout

    def project_of(self, path: str) -> str:
        """The project of the nearest bundle whose folder holds the path; `repository` outside all of them."""
        folder = path.rpartition("/")[0]
        known = self._of_folder.get(folder)
        if known is None:
            known = self.project_of(folder) if folder else REPOSITORY
            self._of_folder[folder] = known
        return known


def named_by(bundle: Bundle, name: str) -> bool:
    """Is it the bundle that is called so: by its project, its own name, or its folder?"""
    return name in (bundle.project, bundle.name) or name.strip("/") == (bundle.folder or ".")


def projects_named(layout: Layout, bundles: Iterable[str], projects: Iterable[str]) -> frozenset[str]:
    """The projects of the bundles whose folder or name a glob matches, and the projects with these names.

    Raises:
        UsageError: there is no such bundle or project.
    """
    found: set[str] = set()
    for glob in bundles:
        wanted = glob.removeprefix("./").rstrip("/") or "."
        names = {bundle: (bundle.folder or ".", bundle.project, bundle.name or "") for bundle in layout.bundles}
        matched = {bundle.project for bundle, known in names.items() if any(fnmatchcase(name, wanted) for name in known)}
        if not matched:
            raise UsageError(f"no bundle matches {glob!r}", there_are([bundle.project for bundle in layout.bundles], glob))
        found |= matched
    for name in projects:
        if name not in layout.projects:
            raise UsageError(f"there is no project {name!r}", there_are(layout.projects, name))
        found.add(name)
    return frozenset(found)


def there_are(names: Sequence[str], wanted: str) -> str:
    """An advice for a name that is not there."""
    from difflib import get_close_matches

    near = get_close_matches(wanted, names, 1)
    told = f"there are: {', '.join(sorted(names)[:8])}" if names else "no folder here holds a databricks.yml"
    return f"did you mean {near[0]}?" if near else told


def _root_files(tree: Tree, documents: Documents) -> dict[str, list[str]]:
    """The root files of each folder, in the order in which they count."""
    found: dict[str, list[str]] = {}
    for entry in tree.files:
        folder, _, name = entry.path.rpartition("/")
        if name in ROOT_FILES and "{{" not in folder and (name in _CERTAIN or _is_bundle(entry.path, tree, documents)):
            found.setdefault(folder, []).append(entry.path)
    for paths in found.values():
        paths.sort(key=lambda path: ROOT_FILES.index(path.rpartition("/")[2]))
    return found


def _is_bundle(path: str, tree: Tree, documents: Documents) -> bool:
    """Is a `bundle.yml` a bundle of Databricks? Other tools use the name too. One that cannot be read may be one."""
    try:
        root = documents.load(path).root
    except SourceError:
        try:
            return _LIKE_A_BUNDLE.search(tree.text(path)) is not None
        except SourceError:
            return True
    return isinstance(root, Map) and not _BUNDLE_KEYS.isdisjoint(root.items)


def _named(found: Mapping[str, list[str]], policy: Policy, documents: Documents) -> tuple[Bundle, ...]:
    """Give each bundle its project: the policy's, else its own name, else its folder; a name that is taken gets the folder."""
    claims = {folder: _claims(policy, folder) for folder in found}
    own = {folder: _own_name(paths[0], documents) for folder, paths in found.items()}
    taken = Counter(name for folder, name in own.items() if name is not None and len(claims[folder]) != 1)
    taken.update(project.name for project in policy.projects)
    taken[REPOSITORY] += 1
    bundles = []
    # Names that bundles give themselves go before those made here: these keep apart from them, and from each other.
    given = {name for name, count in taken.items() if count == 1} | {name for names in claims.values() for name in names}
    for folder, paths in sorted(found.items()):
        claimed = claims[folder]
        if len(claimed) == 1:
            project = claimed[0]
        else:
            name = own[folder]
            alone = name is not None and taken[name] == 1
            project = str(name) if alone else f"{name}@{folder or '.'}" if name is not None else folder or REPOSITORY
            while not alone and project in given and (folder or name is not None):
                project += "@"
            given.add(project)
        several = claimed if len(claimed) > 1 else ()
        bundles.append(Bundle(paths[0], folder, project, tuple(paths[1:]), several, own[folder]))
    return tuple(bundles)


def _claims(policy: Policy, folder: str) -> tuple[str, ...]:
    """The projects of the policy whose `bundles` hold the folder."""
    if not policy.projects:
        return ()
    from lakewarden.policy.globs import any_path

    return tuple(
        project.name
        for project in policy.projects
        if any_path(project.bundles, folder or ".")
        or (not folder and any(glob.strip("./") in ("", "**") for glob in project.bundles))
    )


def _own_name(path: str, documents: Documents) -> str | None:
    """The literal `bundle.name` of a root file."""
    try:
        root = documents.load(path).root
    except SourceError:
        return None
    bundle = root.get("bundle") if isinstance(root, Map) else None
    name = bundle.get("name") if isinstance(bundle, Map) else None
    if not isinstance(name, Scalar) or name.is_null or not name.text.strip() or "${" in name.text or "{{" in name.text:
        return None
    return name.text.strip()
