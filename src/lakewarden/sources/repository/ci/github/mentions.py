"""What the expressions of a workflow ask about: branches, tags, inputs, and which parts of a context its texts put in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.ci.github.checkout import CHECKOUT
from lakewarden.sources.repository.ci.github.exports import LEAVING
from lakewarden.sources.repository.ci.github.frames import LATE
from lakewarden.sources.repository.ci.github.syntax import (
    Call,
    Compared,
    Hole,
    Literal,
    children,
    condition,
    dotted,
    template,
    walk,
)
from lakewarden.sources.repository.ci.github.values import from_json
from lakewarden.sources.repository.ci.workflow import DEFAULT_BRANCH
from lakewarden.sources.yaml_nodes import List, Map, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lakewarden.sources.repository.ci.github.syntax import Node as Expression
    from lakewarden.sources.yaml_nodes import Node

_LATE = frozenset(f"github.{key}" for key in LATE)
_IN_SHELL = {f"GITHUB_{key.upper()}": f"github.{key}" for key in LATE}
_ABOUT_REFS = r"GITHUB_(?:REF|BASE_REF|EVENT_NAME)|github\.(?:ref|base_ref)"
_FULL_REF = r"refs/(?:heads|tags)/[\w./*-]+"
_COMPARED = r"(?:==?|!=)\s*[\"']?([\w./*-]+)"
_CASE = r"^\s*\(?[\"']?([\w./*-]+(?:[\"']?\s*\|\s*[\"']?[\w./*-]+)*)[\"']?\)"
_DEFAULT_BRANCH = "github.event.repository.default_branch"
_FULL = frozenset({"github.ref", "github.event.ref", "github.workflow_ref"})
_SHORT = frozenset({"github.ref_name"})
_BASES = frozenset({"github.base_ref", "github.event.pull_request.base.ref", "github.event.merge_group.base_ref"})
_HEADS, _TAGS = "refs/heads/", "refs/tags/"
_SPECIAL = r"[*?\[\]!+\\\s]"
_WORDS = r"[\w./-]+"
_INPUTS = ("inputs.", "github.event.inputs.")
#: Of these a text says the same for every event, if it says anything.
_CONSTANT = frozenset(
    f"github.{key}"
    for key in (
        "sha", "token", "actor", "actor_id", "triggering_actor", "workspace", "workflow", "run_id", "run_number", "run_attempt",
        "repository", "repository_id", "repository_owner", "repository_owner_id", "server_url", "api_url", "graphql_url", "job",
        "action", "action_path", "action_ref", "action_repository", "event_path", "env", "path",
    )
)  # fmt: skip
_OF_REPOSITORY = "github.event.repository."


class Mentions(NamedTuple):
    """What expressions mention.

    `inputs` holds what each input is compared with. `texts` are the paths of contexts that texts hang on. A text that takes a
    value over as it is hangs on it only where the variable or input that it is given to is one of `used`: `given` holds,
    for each of these, what it takes over. `contexts` are all that texts read.
    """

    refs: dict[str, None]
    bases: dict[str, None]
    inputs: dict[str, dict[str, None]]
    texts: set[str]
    used: set[str]
    given: dict[str, set[str]]
    contexts: set[str]

    @classmethod
    def none(cls) -> Mentions:
        """Of nothing."""
        return cls({}, {}, {}, set(), set(), {}, set())

    def paths(self) -> set[str]:
        """All that texts hang on."""
        found = set(self.texts)
        waiting = list(self.used)
        seen = set(waiting)
        while waiting:
            for path in self.given.get(waiting.pop(), ()):
                name = _name(path)
                if name is None:
                    found.add(path)
                elif name not in seen:
                    seen.add(name)
                    waiting.append(name)
        return found


class _Place(NamedTuple):
    """A node to look at. `at` is the variable or input that it is the value of, empty in a script, None elsewhere."""

    node: Node
    at: str | None = None
    is_condition: bool = False
    matters: bool = False


def mentions(*nodes: Node | None, conditions: Iterable[Node | None] = ()) -> Mentions:
    """What the expressions in some nodes mention. Texts hang on `conditions` too."""
    found = Mentions.none()
    asked = (_Place(node, None, True, True) for node in conditions if node is not None)
    for place in (*_places(nodes), *asked):
        text = place.node.text if isinstance(place.node, Scalar) else ""
        if not place.is_condition and ("GITHUB_" in text or "github." in text) and re.search(_ABOUT_REFS, text):
            _note_script(text, found)
            if place.matters:
                found.texts.update(path for name, path in _IN_SHELL.items() if name in text)
        if place.is_condition:
            parsed = condition(text)
            if parsed is not None:
                _note(parsed, found)
                if place.matters:
                    _note_text(parsed, None, found)
        elif "${{" in text:
            for part in template(text):
                if isinstance(part, Hole) and part.node is not None:
                    _note(part.node, found)
                    _note_text(part.node, place.at, found)
    return found


def merged(many: Iterable[Mentions]) -> Mentions:
    """What several mention together."""
    found = Mentions.none()
    for one in many:
        found.refs.update(one.refs)
        found.bases.update(one.bases)
        for name, values in one.inputs.items():
            found.inputs.setdefault(name, {}).update(values)
        found.texts.update(one.texts)
        found.used.update(one.used)
        found.contexts.update(one.contexts)
        for name, paths in one.given.items():
            found.given.setdefault(name, set()).update(paths)
    return found


def _places(nodes: Iterable[Node | None]) -> Iterator[_Place]:
    """Every single value."""
    waiting = [_Place(node) for node in nodes if node is not None]
    seen: set[int] = set()
    while waiting:
        place = waiting.pop()
        node = place.node
        if isinstance(node, Scalar):
            yield place
        elif isinstance(node, (Map, List)) and id(node.items) not in seen:
            seen.add(id(node.items))
            if isinstance(node, List):
                waiting.extend(_Place(item) for item in reversed(node.items))
                continue
            waiting.extend(_below(node))


def _below(node: Map) -> Iterator[_Place]:
    """The values of a mapping, the last first."""
    gives = node.key in ("env", "with")
    checks_out = node.key == "with" and _checks_out(node)
    matters = _leaves_something(node)
    for key, item in reversed(node.items.items()):
        if checks_out and key not in ("path", "repository"):
            continue
        at = key.lower() if gives else "" if key == "run" and not matters else None
        yield _Place(item, at, key == "if", matters)


def _checks_out(node: Map) -> bool:
    uses = node.parent.get("uses") if isinstance(node.parent, Map) else None
    return isinstance(uses, Scalar) and uses.text.partition("@")[0].lower() == CHECKOUT


def _note_text(expression: Expression, at: str | None, found: Mentions) -> None:
    """Note what a text hangs on."""
    path = dotted(expression)
    if path is not None and at is not None and (path in _LATE or _name(path) is not None):
        if at:
            found.given.setdefault(at, set()).add(path)
        if path.startswith(_INPUTS):
            found.texts.add(path)
        return
    waiting = [expression]
    while waiting:
        node = waiting.pop()
        path = dotted(node)
        if path is None:
            waiting.extend(children(node))
            continue
        name = _name(path)
        found.contexts.add(path.partition(".")[0])
        if name is not None:
            found.used.add(name)
        if path.startswith(("github", "inputs")) and path not in _CONSTANT and not path.startswith(_OF_REPOSITORY):
            found.texts.add(path)


def _name(path: str) -> str | None:
    """The name of a variable or input."""
    for prefix in (*_INPUTS, "env."):
        if path.startswith(prefix):
            return path.removeprefix(prefix)
    return None


def _leaves_something(step: Map) -> bool:
    """Does a step leave variables or outputs to later ones, perhaps? Then what they say hangs on whether it runs."""
    run, uses = step.get("run"), step.get("uses")
    if isinstance(run, Scalar):
        return any(word in run.text for word in LEAVING)
    return isinstance(uses, Scalar) and uses.text.startswith("./")


def _note(expression: Expression, found: Mentions) -> None:
    """Note what an expression asks about."""
    for node in walk(expression):
        path = dotted(node)
        if path is not None and path.startswith(_INPUTS):
            found.inputs.setdefault(_input(path), {})
        elif path == _DEFAULT_BRANCH:
            found.refs[_HEADS + DEFAULT_BRANCH] = None
            found.bases[DEFAULT_BRANCH] = None
        elif isinstance(node, Compared) and node.sign in ("==", "!="):
            for side, literal in ((node.left, node.right), (node.right, node.left)):
                for text in _literals(literal):
                    _add(dotted(side), text, found)
        elif isinstance(node, Call) and len(node.arguments) > 1:
            _note_call(node, found)


def _note_script(text: str, found: Mentions) -> None:
    """Note the branches and tags that a script compares with."""
    for line in text.split("\n"):
        found.refs.update(dict.fromkeys(re.findall(_FULL_REF, line)))
        words = [word for labels in re.findall(_CASE, line) for word in re.findall(r"[\w./*-]+", labels)]
        if re.search(_ABOUT_REFS, line):
            words += re.findall(_COMPARED, line)
        for word in words:
            if not word.startswith("refs/") and word.strip("*"):
                found.refs[f"{_HEADS}{word}"] = None
                found.bases[word] = None


def _note_call(call: Call, found: Mentions) -> None:
    where, what = call.arguments[:2]
    if call.name == "contains":
        _note_contains(where, what, found)
    elif call.name in ("startswith", "endswith"):
        for text in _literals(what):
            _add(dotted(where), text, found, before=call.name == "endswith", after=call.name == "startswith")


def _note_contains(where: Expression, what: Expression, found: Mentions) -> None:
    path = dotted(where)
    if path is not None:
        for text in _literals(what):
            _add(path, text, found, before=not text.startswith("refs/"), after=True)
        return
    for text in _literals(where):
        for word in [text] if isinstance(where, Call) else re.findall(_WORDS, text):
            _add(dotted(what), word, found)


def _literals(node: Expression) -> list[str]:
    """The texts that a node says: one, or those of a list that is written out."""
    if isinstance(node, Literal):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, Call) and node.name == "fromjson" and len(node.arguments) == 1:
        inner = node.arguments[0]
        value = from_json(inner.value) if isinstance(inner, Literal) and isinstance(inner.value, str) else None
        return [item for item in value if isinstance(item, str)] if isinstance(value, tuple) else []
    return []


def _input(path: str) -> str:
    return path.removeprefix("github.event.").removeprefix("inputs.")


def _add(path: str | None, text: str, found: Mentions, *, before: bool = False, after: bool = False) -> None:
    if path is None or not text or re.search(_SPECIAL, text):
        return
    if path.startswith(_INPUTS):
        found.inputs.setdefault(_input(path), {})[text] = None
    start, end = "**" if before else "", "**" if after else ""
    if path in _BASES:
        found.bases[f"{start}{text.removeprefix(_HEADS)}{end}"] = None
    elif path in _FULL and text.startswith((_HEADS, _TAGS)):
        found.refs[f"{text}{end}"] = None
    elif path in _SHORT or (path in _FULL and (before or after)):
        if path in _FULL and not before:  # a beginning that is none of `refs/heads/` and `refs/tags/`
            return
        found.refs[f"{_HEADS}{start}{text}{end}"] = None
        if before or after:
            found.refs[f"{_TAGS}{start}{text}{end}"] = None
