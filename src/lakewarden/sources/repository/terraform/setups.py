"""Root modules, and the sets of variables that each is run with: one for each stage that has a file of its own."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.errors import SourceError
from lakewarden.sources.repository.terraform.configuration import ENDINGS, VARIABLES, read_body
from lakewarden.sources.repository.terraform.words import speaks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lakewarden.sources.repository.terraform.configuration import Configurations
    from lakewarden.sources.repository.terraform.nodes import Attribute
    from lakewarden.sources.tree import Tree

#: Words without which a file declares nothing that facts are made of; what begins as UTF-16 is said to be unreadable.
_TELLING = re.compile(
    rb"databricks_|databricks/databricks|provider\"?[\s:{]+\"?databricks\"|\A(?:\xff\xfe|\xfe\xff)"
    rb"|github_branch|github_repository_ruleset|gitlab_branch_protection|azuredevops_branch_policy"
)
_SOURCE = re.compile(rb"""\bsource"?\s*[=:]\s*"(\.{1,2}(?:/[^"?]*)?)["?]""")
_AUTO = re.compile(r"terraform\.tfvars(?:\.json)?|.*\.auto\.tfvars(?:\.json)?")
_ENDING = re.compile(r"\.tfvars(?:\.json)?$")
_MAX_SETS = 30
_TESTS = frozenset({"tests", "fixtures", "testdata", "test-fixtures", "test_fixtures", "terratest"})


class Setup(NamedTuple):
    """One way to run a root module: its folder, a label (`""` where there is only one) and the files of variables, in the
    order in which they count.
    """

    folder: str
    label: str
    files: tuple[str, ...]


class Troubled(NamedTuple):
    """A file of variables that cannot be read, and the folder of the root module that it is for."""

    path: str
    folder: str
    problem: SourceError


def folders_of(tree: Tree) -> dict[str, list[str]]:
    """The folders with files of Terraform, each with those files."""
    found: dict[str, list[str]] = {}
    for entry in tree.files:
        if entry.path.endswith(ENDINGS):
            found.setdefault(posixpath.dirname(entry.path), []).append(entry.path)
    return found


def root_folders(tree: Tree, folders: Mapping[str, list[str]]) -> list[str]:
    """The folders that no other calls as a module, and that declare something that facts are made of, themselves or through
    the modules that they call.
    """
    telling: set[str] = set()
    calls: dict[str, set[str]] = {}
    for folder, paths in folders.items():
        for path in paths:
            try:
                data = tree.read(path)
            except SourceError:
                telling.add(folder)  # whoever reads it says why it cannot be read
                continue
            if _TELLING.search(data):
                telling.add(folder)
            for source in _SOURCE.findall(data):
                called = posixpath.normpath(posixpath.join(folder, source.decode(errors="replace").replace("//", "/")))
                called = "" if called == "." else called
                if called in folders and called != folder:
                    calls.setdefault(folder, set()).add(called)
    if not telling:
        return []
    called_by_others = {called for of_folder in calls.values() for called in of_folder}
    roots = [folder for folder in folders if folder not in called_by_others and _reaches(folder, calls, telling)]
    # Modules that call each other in a circle have no root: each that declares something is read by itself.
    reached = set[str]().union(*(_reached(folder, calls) for folder in roots))
    return sorted({*roots, *(telling - reached)})


def is_for_tests(folder: str) -> bool:
    """Is the folder one of tests? A folder called `test` may be a stage."""
    return not _TESTS.isdisjoint(folder.lower().split("/"))


def _reached(folder: str, calls: Mapping[str, set[str]]) -> set[str]:
    found = {folder}
    todo = [folder]
    while todo:
        for called in calls.get(todo.pop(), ()):
            if called not in found:
                found.add(called)
                todo.append(called)
    return found


def _reaches(folder: str, calls: Mapping[str, set[str]], telling: set[str]) -> bool:
    return not telling.isdisjoint(_reached(folder, calls))


class VariableFiles:
    """The files of variables of a tree, and what each sets."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.paths = [entry.path for entry in tree.files if entry.path.endswith(VARIABLES)]
        self._read: dict[str, dict[str, Attribute] | SourceError] = {}

    def of(self, path: str) -> dict[str, Attribute] | SourceError:
        """What a file sets, or why it cannot be read."""
        found = self._read.get(path)
        if found is None:
            try:
                found = read_body(self.tree, path).attributes
            except SourceError as problem:
                found = problem
            self._read[path] = found
        return found


def setups_of(roots: Iterable[str], configurations: Configurations, files: VariableFiles) -> tuple[list[Setup], list[Troubled]]:
    """Every way in which the root modules are run."""
    roots = list(roots)
    own: dict[str, list[str]] = {root: [] for root in roots}
    further: dict[str, list[str]] = {root: [] for root in roots}
    troubled: list[Troubled] = []
    for path in files.paths:
        folder, name = posixpath.split(path)
        automatic = _AUTO.fullmatch(name) is not None and folder in own
        root = folder if automatic else _root_of(path, roots, configurations, files)
        if root is None:
            continue
        said = files.of(path)
        if isinstance(said, SourceError):
            troubled.append(Troubled(path, root, said))
        elif automatic:
            own[root].append(path)
        elif not said.keys().isdisjoint(configurations.of(root).variables):
            further[root].append(path)
    setups: list[Setup] = []
    for root in roots:
        base = tuple(sorted(own[root], key=lambda path: (not path.rpartition("/")[2].startswith("terraform."), path)))
        groups = _groups(root, further[root])
        for number, (label, paths) in enumerate(groups.items()):
            if number < _MAX_SETS:
                setups.append(Setup(root, label, (*base, *paths)))
            else:
                reason = f"{root or '.'} has more than {_MAX_SETS} sets of variables"
                remedy = "run Lakewarden on the part that matters"
                troubled.append(Troubled(paths[0], root, SourceError("truncated", reason, remedy)))
                break
        if not groups:
            setups.append(Setup(root, "", base))
    return setups, troubled


def _root_of(path: str, roots: list[str], configurations: Configurations, files: VariableFiles) -> str | None:
    """The root module that a file of variables is for: the nearest above it, else the one near it that declares them."""
    folder = posixpath.dirname(path)
    while True:
        if folder in roots:
            return folder
        if not folder:
            break
        folder = posixpath.dirname(folder)
    said = files.of(path)
    unread = isinstance(said, SourceError)
    if not unread and not said:
        return None
    names = set() if isinstance(said, SourceError) else said.keys()
    fitting = {root: _shared(path, root) for root in roots if names <= configurations.of(root).variables.keys()}
    best = [root for root, shared in fitting.items() if shared == max(fitting.values())]
    # One that cannot be read is for some root module: the first may stand for it.
    return best[0] if len(best) == 1 or (unread and best) else None


def _shared(path: str, folder: str) -> int:
    """How many folders two paths share at their beginning."""
    count = 0
    for one, other in zip(path.split("/"), folder.split("/"), strict=False):
        if one != other:
            break
        count += 1
    return count


def _groups(root: str, paths: list[str]) -> dict[str, list[str]]:
    """Files that count together, by label. Those that name a stage, themselves or by their folder, are a set each; a single
    file that names none is the only set; of several it is not known which count together.
    """
    found: dict[str, list[str]] = {}
    silent: list[str] = []
    for path in sorted(paths):
        label = _label(root, path)
        if label is None:
            silent.append(path)
        else:
            found.setdefault(label, []).append(path)
    if not found and len(silent) == 1:
        found[_stem(silent[0])] = silent
    return found


def _stem(path: str) -> str:
    return _ENDING.sub("", path.rpartition("/")[2])


def _label(root: str, path: str) -> str | None:
    stem = _stem(path)
    if speaks(stem):
        return stem
    below = posixpath.dirname(path)
    below = below.removeprefix(f"{root}/") if root and below.startswith(f"{root}/") else "" if below == root else below
    for folder in reversed(below.split("/")):
        if speaks(folder):
            return folder
    return None
