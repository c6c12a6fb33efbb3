"""Which bundle and target a command of CI reaches, and which projects it is about."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.policy.attribute import environment_of_target, environment_of_workspace
from lakewarden.policy.names import stage_by_words
from lakewarden.sources.repository.layout import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lakewarden.facts.collect import Facts
    from lakewarden.facts.fact import Fact
    from lakewarden.sources.repository.layout import Bundle
    from lakewarden.sources.source import Context

_NOWHERE = (None, "none")
#: Words that are names of stages in a bundle alone.
_WEAK = frozenset({"live", "user", "local"})
#: A name for each stage, for targets that no bundle defines.
_NAMES = {"development": "dev", "staging": "staging", "production": "prod"}


class Reached(NamedTuple):
    """A target that a command reaches: its project, its key (None where it is not known), its name as written (`none` where
    the command names none), and why it is not known.
    """

    project: str
    key: str | None
    name: str | None
    problem: str = ""


class Targets:
    """The targets of all bundles, as the bundle source wrote them."""

    def __init__(self, context: Context, facts: Facts) -> None:
        self.tree = context.tree
        self.policy = context.policy
        self.bundles = context.layout.bundles
        self._of_folder = {bundle.folder: bundle for bundle in self.bundles}
        self._named: dict[str, dict[str, Fact]] = {}
        self._of_project: dict[str, list[Fact]] = {}
        for target in facts.rows["targets"]:
            values = target.__dict__
            self._named.setdefault(values.get("path") or "", {})[values.get("name") or ""] = target
            self._of_project.setdefault(target.project or "", []).append(target)

    def bundle(self, folder: str | None) -> Bundle | None:
        """The bundle that a command in a folder finds: the nearest at or above it."""
        if folder is None or not (folder == "" or self.tree.is_dir(folder)):
            return None
        while True:
            found = self._of_folder.get(folder)
            if found is not None or not folder:
                return found
            folder = posixpath.dirname(folder)

    def reached(self, folder: str | None, name: str | None, *, doubtful: bool) -> Reached:
        """The target that a command of the bundle tool reaches. `doubtful` where an earlier step writes the bundle's files."""
        bundle = self.bundle(folder) or self._only_one_with(name)
        if bundle is None:
            project = self.bundles[0].project if len(self.bundles) == 1 else REPOSITORY
            where = "a folder that is not known" if folder is None else f"{folder or 'the root'}, where no bundle lies"
            return Reached(project, None, None if name is None else name or "none", f"the command runs in {where}")
        if name is None:
            return Reached(bundle.project, None, None, "the name of the target is known only when the workflow runs")
        targets = self._named.get(bundle.path, {})
        if not name:
            return self._default(bundle, targets)
        if name in targets:
            return Reached(bundle.project, targets[name].key, name)
        if doubtful:
            return Reached(bundle.project, None, name, f"an earlier step writes {bundle.path}")
        return Reached(bundle.project, self._would_be(bundle, name), name)

    def _only_one_with(self, name: str | None) -> Bundle | None:
        """The one bundle of the repository, where it defines a target of this name: a command that runs in a folder which is
        not known, or is made on the way, is about it.
        """
        only = self.bundles[0] if len(self.bundles) == 1 else None
        return only if only is not None and name and name in self._named.get(only.path, {}) else None

    def _default(self, bundle: Bundle, targets: dict[str, Fact]) -> Reached:
        flags = {target.key: target.__dict__.get("is_default") for target in targets.values()}
        defaults = [key for key, flag in flags.items() if flag]
        if len(defaults) == 1:
            return Reached(bundle.project, defaults[0], "none")
        if None in flags.values() or not flags:
            return Reached(bundle.project, None, "none", f"the default target of {bundle.path} is not known")
        return Reached(bundle.project, "none", "none")

    def _would_be(self, bundle: Bundle, name: str) -> str:
        """The key that a target would have if the bundle defined it."""
        for other in self._named.get(bundle.path, {}).values():
            own = other.__dict__.get("name") or ""
            if other.key.endswith(f"/{own}"):
                return other.key.removesuffix(own) + name
        return f"{bundle.project}/{name}"

    def stage(self, key: str | None) -> str | None:
        """The stage of a target by its key; None where it is not known."""
        for target in self._of_project.get((key or "").rpartition("/")[0].partition("@")[0], ()):
            if target.key == key:
                return self._stage(target)
        for targets in self._of_project.values():
            for target in targets:
                if target.key == key:
                    return self._stage(target)
        return None

    def _stage(self, target: Fact) -> str | None:
        values = target.__dict__
        return environment_of_target(self.policy, target.project, values.get("name") or "", values.get("host")).stage

    def of_stage(self, project: str, stage: str) -> str:
        """The key of a target of a stage; one that is made up where the project has none."""
        found = [target.key for target in self._of_project.get(project, ()) if self._stage(target) == stage]
        return found[0] if found else f"{project}/{_NAMES[stage]}"

    def is_production(self, key: str | None) -> bool | None:
        """Is a target one of production, or would it be by its name?"""
        if key is None:
            return None
        stage = self.stage(key) or stage_by_words(key.rpartition("/")[2], target=True).stage
        return None if stage is None else stage == "production"

    def spoken_of(self, texts: Iterable[str]) -> str | None:
        """The stage that the first of some texts speaks of; None where none does, or two stages are named."""
        for text in texts:
            if not text or "\0" in text or text.strip("/").lower() in _WEAK:
                continue
            if "://" in text:
                stage = environment_of_workspace(self.policy, text).stage
            else:
                stage = stage_by_words(text.replace("\\", "/").strip("/"), target=False).stage
            if stage is None:
                return None
            if stage not in _NOWHERE:
                return stage
        return None

    def projects_of_tests(self, folder: str | None, arguments: Iterable[str]) -> tuple[str, ...]:
        """The projects whose code a test run is about: that of the bundle which holds the tests, else all that may share
        the code.
        """
        places = [] if folder is None else [folder]
        for argument in arguments:
            path = (
                None
                if folder is None or argument.startswith("-")
                else posixpath.normpath(posixpath.join(folder, argument.partition("::")[0]))
            )
            if path is not None and not path.startswith("..") and path != "." and self.tree.exists(path):
                places.append(path)
        inside = {
            bundle.project for place in places[1:] or places if (bundle := self._holding(place)) is not None and bundle.folder
        }
        if inside:
            return tuple(sorted(inside))
        return self.all_projects() if folder is None else self._near(folder)

    def _holding(self, place: str) -> Bundle | None:
        return self.bundle(place if self.tree.is_dir(place) or not place else posixpath.dirname(place))

    def _near(self, folder: str) -> tuple[str, ...]:
        """The projects of bundles that share code with a folder outside all nested ones."""
        top = folder.partition("/")[0]
        near = {
            bundle.project
            for bundle in self.bundles
            if not folder
            or not bundle.folder
            or bundle.folder == folder
            or bundle.folder.startswith(f"{folder}/")
            or bundle.folder.partition("/")[0] == top
        }
        if not near and len(self.bundles) == 1:
            near = {self.bundles[0].project}
        return tuple(sorted(near)) or (REPOSITORY,)

    def all_projects(self) -> tuple[str, ...]:
        """Every project with a bundle; the repository's own where there is none."""
        return tuple(dict.fromkeys(bundle.project for bundle in self.bundles)) or (REPOSITORY,)
