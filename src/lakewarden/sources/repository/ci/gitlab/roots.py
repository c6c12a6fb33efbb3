"""Where pipelines of GitLab CI begin: the file of the project, and files that no other includes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lakewarden.errors import SourceError
from lakewarden.facts.origin import Origin
from lakewarden.sources.repository.ci.gitlab.files import Assembly, Loader, includes
from lakewarden.sources.repository.ci.gitlab.jobs import Pipeline
from lakewarden.sources.repository.ci.gitlab.mentions import Mentions
from lakewarden.sources.repository.ci.gitlab.needs import Needs
from lakewarden.sources.repository.ci.gitlab.situations import USUAL
from lakewarden.sources.repository.ci.samples import situations
from lakewarden.sources.repository.ci.workflow import Unread, Workflow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.sources.repository.ci.workflow import Situation
    from lakewarden.sources.repository.layout import Documents
    from lakewarden.sources.tree import Tree

ROOT = ".gitlab-ci.yml"
#: Where a project may have it; a file deeper down is that of another project, or an example.
_PLACE = re.compile(r"(?:\.gitlab[^/]*/|\.?ci/)?(?:pipelines/)?[^/]+$")
_EVENTS = ("push", "tag", "merge_request", "manual")


def pipelines(tree: Tree, documents: Documents, candidates: list[str]) -> Iterator[Workflow]:
    """The pipelines that begin in some of the candidates."""
    loader = Loader(tree, documents)
    used: set[str] = set()
    starting: set[str] = set()
    broken: dict[str, SourceError] = {}
    waiting = list(candidates)
    seen: set[str] = set()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        try:
            told = includes(loader.root(path, {}))
        except SourceError as problem:
            broken[path] = problem
            continue
        starting |= {path} if told else set()
        more = [found for _, name in told for found in loader.paths_of(name)]
        used.update(found for found in more if found != path)
        waiting += more
    roots = _roots(candidates, used, starting)
    for path in candidates:
        if path in broken and (path in roots or path not in used):
            yield _broken(path, broken[path])
        elif path in roots or path not in used:
            found = _workflow(loader, path, starts=path in roots)
            if found.jobs or found.unread:
                yield found


def _roots(candidates: list[str], used: set[str], starting: set[str]) -> set[str]:
    """Where pipelines begin: the file with the usual name, else what nothing else includes and what includes others, as a
    project may name another file.
    """
    if ROOT in candidates:
        return {ROOT}
    free = [path for path in candidates if path not in used and _PLACE.match(path)]
    named = [path for path in free if path.rpartition("/")[2] == ROOT]
    for found in (named, [path for path in free if path in starting], free):
        if len(found) == 1 or (found and found is not free and found is not named):
            return set(found)
    return set()


def _broken(path: str, problem: SourceError) -> Workflow:
    unread = Unread(problem.cause, problem.reason, problem.remedy, Origin(path))
    return Workflow("gitlab", path, path, Origin(path), None, (), unread=(unread,))


def _workflow(loader: Loader, path: str, *, starts: bool) -> Workflow:
    origin = Origin(path, 1)
    assembly = Assembly(loader)
    try:
        parts = assembly.file(path, {}, (), ())
    except SourceError as problem:
        return _broken(path, problem)
    config = assembly.config(parts)
    pipeline = Pipeline(config, loader, USUAL)
    mentions = Mentions()
    mentions.add(pipeline)
    events = (*_EVENTS, "schedule") if mentions.schedules else _EVENTS
    refs, bases = tuple(mentions.refs), tuple(mentions.bases)
    tried = list(situations(events, refs, bases))

    def started(_: Situation) -> bool | None:
        return True if starts else None

    jobs = Needs(list(pipeline.read(started, tried)), tried).jobs()
    return Workflow("gitlab", path, path, origin, events if starts else None, jobs, refs, bases, config.unread)
