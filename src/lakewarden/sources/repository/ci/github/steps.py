"""The steps of a job as they run: composite actions taken apart, texts filled in, folders and variables followed."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.ci.github.checkout import (
    CHECKOUT,
    Checkout,
    Mount,
    checkout,
    folder_of,
    mounted,
    normal,
    repository_of,
)
from lakewarden.sources.repository.ci.github.conditions import Before, both, is_settled, step_condition
from lakewarden.sources.repository.ci.github.exports import exports
from lakewarden.sources.repository.ci.github.frames import (
    ACTION,
    Frame,
    Look,
    Status,
    finished,
    is_open,
    settled_text,
    shell_text,
    text_in,
    value_in,
)
from lakewarden.sources.repository.ci.github.logins import logins_of_step, logins_of_variables
from lakewarden.sources.repository.ci.github.occasions import WORKSPACE
from lakewarden.sources.repository.ci.github.scalars import text_of
from lakewarden.sources.repository.ci.github.values import Object, Unknown, Value
from lakewarden.sources.repository.ci.workflow import HOLE, Unread
from lakewarden.sources.yaml_nodes import List, Map, text_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lakewarden.facts.origin import Origin
    from lakewarden.sources.repository.ci.github.conditions import Condition
    from lakewarden.sources.repository.ci.github.files import Action, Files
    from lakewarden.sources.repository.ci.github.occasions import Occasion
    from lakewarden.sources.repository.ci.workflow import Login
    from lakewarden.sources.yaml_nodes import Node

MAX_NESTED = 10
MAX_STEPS = 500

_FOLDERS = {"GITHUB_WORKSPACE": WORKSPACE, "GITHUB_ACTION_PATH": ACTION}


class Draft(NamedTuple):
    """A step as it runs for one occasion; fields as in `Step`."""

    origin: Origin
    condition: Condition
    text: str = ""
    uses: str = ""
    inputs: tuple[tuple[str, str], ...] = ()
    environ: tuple[tuple[str, str], ...] = ()
    folder: str | None = ""
    ignores_failure: bool | None = False
    logins: tuple[Login, ...] = ()
    text_line: int | None = None
    shell: str = ""
    secrets: tuple[str, ...] = ()

    @property
    def says(self) -> tuple[object, ...]:
        """All of it but when it runs."""
        return (*self[:1], *self[2:])


class Place(NamedTuple):
    """Where a list of steps stands: in a job, or in a composite action that a step of it uses."""

    frame: Frame
    folder: str
    condition: Condition
    shell: str = ""
    ignores_failure: bool | None = False
    settled: bool = True
    action: str = ""
    nested: tuple[str, ...] = ()
    needs: Value = Unknown()


class Reading:
    """Reads the steps of one job for one occasion. What steps leave behind for later ones is kept here."""

    def __init__(self, files: Files, occasion: Occasion, root: str, *, token: bool | None) -> None:
        self.files = files
        self.occasion = occasion
        self.token = token
        self.root = root
        self.checked_out = False
        self.mounts = [Mount("", root)]
        self.set: dict[str, str] = {}
        self.checkouts: list[Callable[[Occasion], Checkout]] = []
        self.steps: list[Draft] = []
        self.unread: list[Unread] = []

    def read(self, nodes: Node | None, place: Place) -> Before:
        """Add the steps of a list; gives what the last of them leaves."""
        before = Before()
        for node in nodes.items if isinstance(nodes, List) else ():
            if len(self.steps) >= MAX_STEPS:
                self._unread("truncated", f"more than {MAX_STEPS} steps run in this job", "split the job", node.origin)
                break
            if isinstance(node, Map):
                before = self._step(node, place, before)
        return before

    def _step(self, node: Map, place: Place, before: Before) -> Before:
        is_first = not self.steps and not before.steps
        frame = place.frame._replace(environ={**place.frame.environ, **self.set}, is_first=is_first)
        look = Look(frame, self.occasion, before.told(place.needs))
        frame = frame._replace(environ={**frame.environ, **texts(node.get("env"), look)})
        look = Look(frame, self.occasion, before.told(place.needs))
        own = step_condition(node.get("if"), frame, before)
        condition = both(place.condition, own)
        tolerant = _tolerant(node, look)
        ignores = (
            True if place.ignores_failure or tolerant else (None if place.ignores_failure is None or tolerant is None else False)
        )
        uses = text_of(node.get("uses"))
        outputs: Value = Unknown()
        settled = place.settled and is_settled(node.get("if"))
        below = place._replace(frame=frame, condition=condition, ignores_failure=ignores, settled=settled)
        if uses is not None:
            self._uses(node, uses.strip(), below, look)
        elif node.get("run") is not None:
            outputs = self._runs(node, below, look)
        return before.then((text_of(node.get("id")) or "").lower(), own, tolerant, outputs)

    def _runs(self, node: Map, place: Place, look: Look) -> Value:
        run = node.get("run")
        raw = text_of(run) or ""
        where = text_of(node.get("working-directory"))
        folder = self._folder(place.folder if where is None else settled_text(where, look))
        filled, secrets = shell_text(raw, look)
        text = self._at(filled, folder, place)
        environ = dict(place.frame.environ)
        environ.update({name: mark for name, mark in _FOLDERS.items() if name in text})
        line = text_line(run) if run is not None and text.count("\n") == raw.count("\n") else None
        shell = text_of(node.get("shell"))
        told = place.shell if shell is None else settled_text(shell, look)
        self._add(node, place, environ, folder, text=text)
        self.steps[-1] = self.steps[-1]._replace(text_line=line, shell="" if is_open(told) else told, secrets=secrets)
        done = exports(
            text_in(raw, look),
            told,
            environ,
            runs=place.condition(self.occasion) if place.settled else None,
            situation=self.occasion.situation,
        )
        self.set.update(done.variables)
        return done.outputs

    def _uses(self, node: Map, uses: str, place: Place, look: Look) -> None:
        written = dict(_items(node.get("with")))
        given = {key.lower(): value_in(text_of(below) or "", look) for key, below in written.items()}
        if uses.startswith("./"):
            folder = folder_of(self.mounts, uses)
            action = None if folder is None else self.files.action(folder)
            if action is not None:
                self._compose(node, action, given, place)
                return
            if folder is None or not self.files.tree.exists(folder):
                remedy = "check the path; an action that is generated or checked out from elsewhere cannot be read"
                self._unread("unresolved", f"the action {uses} is not in this repository", remedy, node.origin)
        inputs = {key: text_in(text_of(below) or "", look) for key, below in written.items()}
        if uses.partition("@")[0].lower() == CHECKOUT:
            self._check_out(node, given, look)
            # What is checked out differs from start to start; the job tells of it.
            inputs = {
                key: value if key in ("path", "repository") else text_of(written[key]) or "" for key, value in inputs.items()
            }
        self._add(node, place, place.frame.environ, self._folder(place.folder), uses=uses, inputs=inputs)

    def _compose(self, node: Map, action: Action, given: Mapping[str, Value], place: Place) -> None:
        """Read the steps of a composite action in place of the step that uses it."""
        if action.folder in place.nested or len(place.nested) >= MAX_NESTED:
            self._unread(
                "failed", f"the action {action.folder} uses itself, or is nested too deeply", "mend the action", node.origin
            )
            return
        look = Look(place.frame, self.occasion, Status())
        inputs: dict[str, Value] = {key: value_in(text_of(default) or "", look) for key, default in action.defaults.items()}
        inputs.update(given)
        frame = place.frame._replace(inputs=Object(inputs), in_action=True, secrets=Object({}))
        below = Place(
            frame, "", place.condition, "", place.ignores_failure, place.settled, action.folder, (*place.nested, action.folder)
        )
        self.read(action.steps, below)

    def _check_out(self, node: Map, given: Mapping[str, Value], look: Look) -> None:
        path = given.get("path")
        at = "" if path is None else (path if isinstance(path, str) else HOLE)
        at = normal(at)
        ours = repository_of(given)
        if at and not self.checked_out:
            self.mounts = [Mount("", None)]
        self.checked_out = True
        self.mounts = mounted(self.mounts, Mount(at, self.root if ours else None))
        if ours:
            below = node.get("with")
            ref = text_of(below.get("ref")) if isinstance(below, Map) else None
            frame, status = look.frame, look.status
            self.checkouts.append(lambda occasion: checkout(value_in(ref or "", Look(frame, occasion, status))))

    def _add(
        self,
        node: Map,
        place: Place,
        environ: Mapping[str, str],
        folder: str | None,
        *,
        text: str = "",
        uses: str = "",
        inputs: Mapping[str, str] | None = None,
    ) -> None:
        given = {key: self._at(value, folder, place) for key, value in (inputs or {}).items()}
        environ = {key: self._at(value, folder, place) for key, value in environ.items()}
        logins = logins_of_step(uses, given, text, self.token, node.origin)
        asked = node.get("env")
        if asked is not None:
            logins = (*logins, *logins_of_variables(_set_by(asked, environ), self.token, node.origin))
        self.steps.append(
            Draft(
                node.origin, place.condition, text, uses, tuple(given.items()), tuple(environ.items()), folder,
                place.ignores_failure, logins,
            )
        )  # fmt: skip

    def _folder(self, path: str) -> str | None:
        found = folder_of(self.mounts, path)
        return None if found is None or ("{{" in found and not self.files.tree.is_dir(found)) else found

    def _at(self, text: str, folder: str | None, place: Place) -> str:
        """A text with the folders of the checkout and of the action written from the working directory."""
        for mark, target in ((WORKSPACE, self.mounts[0].root), (ACTION, place.action)):
            if mark in text:
                known = folder is not None and target is not None
                text = text.replace(mark, posixpath.relpath(target or ".", folder or ".") if known else HOLE)
        return finished(text)

    def _unread(self, cause: str, reason: str, remedy: str, origin: Origin) -> None:
        self.unread.append(Unread(cause, reason, remedy, origin))


def texts(node: Node | None, look: Look) -> dict[str, str]:
    """The variables of an `env:`."""
    return {key: text_in(text_of(below) or "", look) for key, below in _items(node)}


def _set_by(node: Node, environ: Mapping[str, str]) -> dict[str, str]:
    """Those of the variables in force that an `env:` sets."""
    return {key: environ[key] for key, _ in _items(node) if key in environ}


def flag(node: Node | None, look: Look) -> bool | None:
    """A switch that may be an expression; None where that cannot be told."""
    text = settled_text(text_of(node) or "", look).strip().lower()
    return None if is_open(text) else {"true": True, "false": False, "": False}.get(text)


def _tolerant(node: Map, look: Look) -> bool | None:
    return flag(node.get("continue-on-error"), look)


def _items(node: Node | None) -> Iterator[tuple[str, Node]]:
    return iter(node.items.items() if isinstance(node, Map) else ())
