"""Which files of the repository a file imports or runs."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from lakewarden.sources.repository.code.public import is_public

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lakewarden.sources.repository.code.result import Extract, Import, Load, Span

_SUFFIXES = ("", ".py", ".ipynb", ".sql", ".scala", ".r", ".R")


class Index:
    """The files of code by path, to look modules and notebooks up."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.paths = frozenset(paths)
        self.folders = {""}
        #: Folders that hold a module or a package of a name.
        self.holders: dict[str, list[str]] = {}
        for path in sorted(self.paths):
            folder, _, name = path.rpartition("/")
            if name.endswith(".py"):
                self.holders.setdefault(name[:-3], []).append(folder)
            while folder and folder not in self.folders:
                self.folders.add(folder)
                above, _, name = folder.rpartition("/")
                self.holders.setdefault(name, []).append(above)
                folder = above

    def modules(self, path: str, found: Import, extra: Iterable[str] = ()) -> list[str] | None:
        """The files that an import statement loads; None where the module is not in the repository."""
        module = found.module
        level = len(module) - len(module.lstrip("."))
        if not level and module.partition(".")[0] not in self.holders:
            return None  # most imports are of libraries
        parts = [part for part in module[level:].split(".") if part]
        folder = posixpath.dirname(path)
        if level:
            for _ in range(level - 1):
                folder = posixpath.dirname(folder)
            return self._inside(folder, parts, found.names) or None
        for base in self._bases(folder, parts[0], extra):
            files = self._inside(base, parts, found.names)
            if files:
                return files
        return self._anywhere(parts, found.names)

    def _bases(self, folder: str, top: str, extra: Iterable[str]) -> Iterator[str]:
        """Folders that may be on the path of Python, nearest first: those above the file, their `src`, those appended."""
        yield from extra
        holders = self.holders.get(top, ())
        above = folder
        while True:
            for base in (above, posixpath.join(above, "src"), posixpath.join(above, "lib")):
                if base in holders:
                    yield base
            if not above:
                break
            above = posixpath.dirname(above)
        if len(holders) == 1:
            yield holders[0]

    def _anywhere(self, parts: list[str], names: tuple[str, ...]) -> list[str] | None:
        """The files of a module that only one of several packages of its name holds in full."""
        module = posixpath.join(*parts)
        found = [
            base
            for base in self.holders.get(parts[0], ())
            if (place := posixpath.join(base, module)) in self.folders or f"{place}.py" in self.paths
        ]
        return (self._inside(found[0], parts, names) or None) if len(found) == 1 else None

    def _inside(self, base: str, parts: list[str], names: tuple[str, ...]) -> list[str]:
        """The files of a module in a folder, with the packages that are entered on the way."""
        files: list[str] = []
        place = base
        for number, part in enumerate(parts):
            place = posixpath.join(place, part)
            if f"{place}.py" in self.paths:
                files.append(f"{place}.py")
                return files
            if place not in self.folders:
                return files if number else []
            if f"{place}/__init__.py" in self.paths:
                files.append(f"{place}/__init__.py")
        files.extend(
            inner
            for name in names
            for inner in (posixpath.join(place, f"{name}.py"), posixpath.join(place, name, "__init__.py"))
            if inner in self.paths
        )
        return files

    def notebook(self, path: str, load: Load) -> str | None:
        """The file that `%run` or `dbutils.notebook.run` names."""
        if load.path is None or load.path.startswith("/"):
            return None
        place = posixpath.normpath(posixpath.join(posixpath.dirname(path), load.path))
        return next((place + suffix for suffix in _SUFFIXES if place + suffix in self.paths), None)

    def appended(self, path: str, extract: Extract) -> list[str]:
        """Folders of the repository that the file puts on the path of Python."""
        added = [load.path for load in extract.loads if load.how == "sys.path"]
        folder = posixpath.dirname(path) if added else ""
        places = [posixpath.normpath(posixpath.join(folder, one)) for one in added if one is not None and not one.startswith("/")]
        return ["" if place == "." else place for place in places]


def edges(index: Index, path: str, extract: Extract) -> tuple[list[str], list[str], list[tuple[str, Span]]]:
    """The files that a file imports or %runs, those it runs as notebooks, and what could not be found."""
    code: list[str] = []
    runs: list[str] = []
    missing: list[tuple[str, Span]] = []
    extra = index.appended(path, extract)
    for found in extract.imports:
        if not found.module:
            missing.append(("code is loaded by a name that is known only when it runs", found.span))
            continue
        files = index.modules(path, found, extra)
        if files is not None:
            code.extend(files)
        elif found.module.startswith(".") or not is_public(found.module):
            missing.append((f"the module {found.module or '.'} is not in the repository", found.span))
    for load in extract.loads:
        if load.how == "sys.path":
            continue
        target = index.notebook(path, load)
        if target is not None:
            (code if load.how == "%run" else runs).append(target)
        else:
            missing.append((f"the notebook {load.path or 'that it runs'} is not in the repository", load.span))
    return code, runs, missing


def names_from(index: Index, path: str, extract: Extract) -> list[str]:
    """The files whose names a file has as its own, by %run or `import *`, in order."""
    found: list[str] = []
    for load in extract.loads:
        target = index.notebook(path, load) if load.how == "%run" else None
        if target is not None and target != path:
            found.append(target)
    for each in extract.imports:
        if "*" in each.names and each.module:
            files = index.modules(path, each, index.appended(path, extract))
            if files and files[-1] != path:
                found.append(files[-1])
    return found
