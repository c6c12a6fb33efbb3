"""What expressions can read at one place of a workflow."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.ci.github.expressions import render
from lakewarden.sources.repository.ci.github.occasions import WORKSPACE
from lakewarden.sources.repository.ci.github.syntax import template
from lakewarden.sources.repository.ci.github.values import Object, Unknown, Value, anything, to_text, unknown_at
from lakewarden.sources.repository.ci.workflow import DEFAULT_BRANCH, HOLE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lakewarden.sources.repository.ci.github.occasions import Occasion

#: What the event and the ref decide: in texts it stays as it is written.
LATE = ("ref", "ref_name", "ref_type", "event_name", "base_ref")
#: Stands for the folder of a composite action in texts.
ACTION = "\ue001"

_OPEN = (HOLE, WORKSPACE, ACTION, DEFAULT_BRANCH, "${{")
# Patterns are compiled where they are first used: start-up matters more.
_LATE = r"\$\{\{ (github\.(?:ref|ref_name|ref_type|event_name|base_ref)) \}\}"
#: What a shell sees of what is written in a text: a hole, or what whoever asks about a situation fills in.
_WRITTEN = r"(?s)\$\{\{(?! (?:github\.(?:ref|ref_name|ref_type|event_name|base_ref)|env\.[\w-]+) \}\})(.*?)\}\}"
#: What the same start says to everybody, but nobody knows before: a commit.
_PASSING = r"\$\{\{ github\.(?!(?:ref|ref_name|ref_type|event_name|base_ref) )[\w.-]+ \}\}"
#: Parts of a template that was not filled in.
_TEMPLATE = r"(?<!\$)\{\{[-\s]*(?:cookiecutter\b|template\b|\.)[^{}]*\}\}"
_ONE = r"\$\{\{ ([\w.-]+) \}\}"
_KEPT = r"\bsecrets\.([\w-]+)"


class Status(NamedTuple):
    """What a condition can read of what ran before."""

    success: Value = True
    failure: Value = False
    cancelled: Value = False
    needs: Value = Unknown()
    steps: Value = Unknown()


class Frame(NamedTuple):
    """A place: `inputs` and `secrets` of the call it stands in (None: those of the start), `matrix`, and `environ`.

    `needs` gives what the condition of a step can read of the jobs before. `is_first` tells that no step stands before, so
    that a variable that is not in `environ` is not set.
    """

    inputs: Object | None = None
    secrets: Object | None = None
    matrix: Value = None
    environ: Mapping[str, str] = {}
    runner: Value = Unknown()
    needs: Callable[[Occasion], Value] | None = None
    in_action: bool = False
    is_first: bool = False


class Look:
    """The contexts and status functions at a place.

    Called, it gives their values on an occasion. `late` gives them as they are put into texts: what each event and ref decides
    stays as it is written there, for whoever reads the text to fill in.
    """

    def __init__(self, frame: Frame, occasion: Occasion, status: Status) -> None:
        self.frame = frame
        self.occasion = occasion
        self.status = status

    def __call__(self, name: str) -> Value:
        """The value of a context, or of a status function."""
        if name == "github":
            return self._github(self.occasion.github)
        if name == "inputs":
            return self.occasion.inputs if self.frame.inputs is None else Object({}, self._input)
        if name == "env":
            return Object({}, self._variable, exact=True)
        return self._other(name)

    def late(self, name: str) -> Value:
        """The same as it is put into a text."""
        if name == "github":
            late: dict[str, Value] = {key: unknown_at(f"github.{key}", truth=None) for key in LATE}
            return self._github(Object({**self.occasion.github.items, **late}, anything))
        if name == "inputs":
            return self.occasion.inputs if self.frame.inputs is None else self.frame.inputs
        if name == "env":
            return Object({}, self._late_variable, exact=True)
        return self._other(name)

    def _github(self, github: Object) -> Object:
        return Object({**github.items, "action_path": Unknown(ACTION, truth=True)}, anything) if self.frame.in_action else github

    def _input(self, key: str) -> Value:
        return self._settled(None if self.frame.inputs is None else self.frame.inputs.get(key))

    def _variable(self, key: str) -> Value:
        return self._settled(self._late_variable(key))

    def _settled(self, value: Value) -> Value:
        if not isinstance(value, Unknown) or "${{ github." not in value.text:
            return value
        return _text(re.sub(_LATE, lambda found: to_text(self.occasion.at(found[1])), value.text))

    def _late_variable(self, key: str) -> Value:
        """A variable. One that is not set here may be set by a step."""
        text = self.frame.environ.get(key)
        if text is None:
            return None if self.frame.is_first else unknown_at(f"env.{key}", truth=None)
        return _text(text)

    def _other(self, name: str) -> Value:
        frame, status = self.frame, self.status
        if name == "secrets":
            return Object({}, secret) if frame.secrets is None else frame.secrets
        found: dict[str, Value] = {
            "vars": Object({}, _setting),
            "matrix": frame.matrix,
            "needs": status.needs,
            "steps": status.steps,
            "runner": Object({"os": frame.runner}, anything),
            "success()": status.success,
            "failure()": status.failure,
            "cancelled()": status.cancelled,
            "always()": True,
        }
        return found.get(name, Unknown())


def value_in(text: str, look: Look) -> Value:
    """The value of a text with its `${{ }}` filled in, for a place that passes it on."""
    return text if "${{" not in text else render(template(text), look, look.late)


def text_in(text: str, look: Look) -> str:
    """The same as a text, in which secrets and variables of the CI system stay as they are written."""
    return text if "${{" not in text else to_text(value_in(text, look)).replace(DEFAULT_BRANCH, HOLE)


def settled_text(text: str, look: Look) -> str:
    """The same where what an event or ref decides is filled in."""
    return text if "${{" not in text else to_text(render(template(text), look)).replace(DEFAULT_BRANCH, HOLE)


def shell_text(text: str, look: Look) -> tuple[str, tuple[str, ...]]:
    """The text of a script, with holes in place of secrets and of variables of the CI system, and the names of these secrets."""
    text = re.sub(_TEMPLATE, HOLE, text) if "{{" in text else text
    if "${{" not in text:
        return text, ()
    filled = text_in(text, look)
    secrets = [name for written in re.findall(_WRITTEN, filled) for name in re.findall(_KEPT, written)]
    return re.sub(_WRITTEN, HOLE, filled), tuple(dict.fromkeys(secrets))


def finished(text: str) -> str:
    """A text as it is told, with holes in place of commits and the like."""
    return re.sub(_PASSING, HOLE, text) if "${{ github." in text else text


def is_open(text: str) -> bool:
    """Does a text hold what is not known?"""
    return any(part in text for part in _OPEN)


def secret(key: str) -> Value:
    """A secret of the repository or of an environment."""
    return unknown_at(f"secrets.{key}", truth=None)


def _setting(key: str) -> Value:
    return unknown_at(f"vars.{key}", truth=None)


def _text(text: str) -> Value:
    """A text that may hold what is not known."""
    if not is_open(text):
        return text
    found = re.fullmatch(_ONE, text)
    return Unknown(text, name=found[1] if found else "")
