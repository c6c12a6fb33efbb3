"""`if:` of steps: when they run, given what ran before."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.ci.github.expressions import asks_for_status
from lakewarden.sources.repository.ci.github.frames import Look, Status
from lakewarden.sources.repository.ci.github.syntax import Name, walk
from lakewarden.sources.repository.ci.github.syntax import condition as parsed
from lakewarden.sources.repository.ci.github.values import Object, Unknown, Value, anything
from lakewarden.sources.repository.ci.github.witness import can_hold
from lakewarden.sources.repository.ci.ternary import every, some
from lakewarden.sources.yaml_nodes import Scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lakewarden.sources.repository.ci.github.frames import Frame
    from lakewarden.sources.repository.ci.github.occasions import Occasion
    from lakewarden.sources.repository.ci.github.syntax import Node as Expression
    from lakewarden.sources.yaml_nodes import Node

    Condition = Callable[[Occasion], bool | None]

_ENDED = frozenset({"failure", "cancelled"})
_SKIPPED = frozenset({"skipped"})
#: Contexts of which the same is known on every occasion that a text is the same for.
_SETTLED = frozenset({"github", "inputs", "env", "matrix", "runner"})


class Earlier(NamedTuple):
    """A step with an `id`."""

    runs: Condition
    tolerant: bool | None
    outputs: Value


class Before(NamedTuple):
    """The steps before one."""

    steps: int = 0
    named: Mapping[str, Earlier] = {}

    def then(self, name: str, runs: Condition, tolerant: bool | None, outputs: Value) -> Before:
        """The same and one more step."""
        named = {**self.named, name: Earlier(runs, tolerant, outputs)} if name else self.named
        return Before(self.steps + 1, named)

    def status(self, frame: Frame, occasion: Occasion) -> Status:
        """What a condition reads where all went well."""
        needs: Value = Unknown() if frame.needs is None else frame.needs(occasion)
        return Status(needs=needs, steps=Object({name: _step(earlier, occasion) for name, earlier in self.named.items()}))

    def told(self, needs: Value) -> Status:
        """What a text reads: outputs, where they are known."""
        steps: dict[str, Value] = {name: Object({"outputs": earlier.outputs}, anything) for name, earlier in self.named.items()}
        return Status(needs=needs, steps=Object(steps))


def always(_: Occasion) -> bool | None:
    """The condition of what has none."""
    return True


def both(first: Condition, second: Condition) -> Condition:
    """The condition that two hold."""
    if first is always:
        return second
    return first if second is always else lambda occasion: every((first(occasion), second(occasion)))


def expression_of(node: Node | None) -> tuple[bool, Expression | None]:
    """Whether there is an `if:`, and its tree, None where it is no expression."""
    if node is None or (isinstance(node, Scalar) and node.is_null):
        return False, None
    return True, parsed(node.text) if isinstance(node, Scalar) and node.tag is None else None


def step_condition(node: Node | None, frame: Frame, before: Before) -> Condition:
    """When a step runs, its job running."""
    there, expression = expression_of(node)
    if not there:
        return always
    if expression is None:
        return lambda _: None
    explicit = asks_for_status(expression)

    def runs(occasion: Occasion) -> bool | None:
        status = before.status(frame, occasion)
        found = can_hold(expression, Look(frame, occasion, status), occasion.domains)
        if found or not explicit:
            return found
        ends = [Status(False, before.steps > 0, False, status.needs), Status(False, False, True, status.needs)]
        return some([found, *(can_hold(expression, Look(frame, occasion, end), occasion.domains) for end in ends)])

    return runs


def is_settled(node: Node | None) -> bool:
    """Does an `if:` read nothing but what the texts of its job hang on too?"""
    there, expression = expression_of(node)
    if not there:
        return True
    return expression is not None and all(part.name in _SETTLED for part in walk(expression) if isinstance(part, Name))


def _step(earlier: Earlier, occasion: Occasion) -> Value:
    ran = earlier.runs(occasion)
    result: Value = "success" if ran else ("skipped" if ran is False else Unknown(truth=True, unlike=_ENDED))
    outcome = result
    if earlier.tolerant is not False and ran is not False:
        outcome = Unknown(truth=True, unlike=_SKIPPED if ran else frozenset())
    return Object({"outputs": earlier.outputs, "conclusion": result, "outcome": outcome})
