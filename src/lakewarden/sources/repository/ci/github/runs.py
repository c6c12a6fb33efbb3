"""When the jobs of a workflow run: their own conditions, and those of the jobs that they need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.sources.repository.ci.github.conditions import expression_of
from lakewarden.sources.repository.ci.github.expressions import asks_for_status
from lakewarden.sources.repository.ci.github.frames import Frame, Look, Status
from lakewarden.sources.repository.ci.github.values import Object, Unknown, Value, anything
from lakewarden.sources.repository.ci.github.witness import can_hold
from lakewarden.sources.repository.ci.ternary import every, some

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakewarden.sources.repository.ci.github.conditions import Condition
    from lakewarden.sources.repository.ci.github.files import File
    from lakewarden.sources.repository.ci.github.occasions import Occasion

#: The outputs of jobs that wait for more others than this are not followed.
MAX_CHAIN = 20

_ENDED = frozenset({"failure", "cancelled"})


class Call:
    """A workflow file as it is started, or as a job of another one calls it.

    `label` stands before the names of its jobs; `levels` and `needs` are those of the job that calls it.
    """

    def __init__(
        self,
        file: File,
        label: str = "",
        inputs: Object | None = None,
        secrets: Object | None = None,
        levels: tuple[tuple[str, str], ...] = (),
        needs: tuple[tuple[str, str], ...] = (),
        above: Call | None = None,
        job: str = "",
        token: bool | None = None,
        outputs: Callable[[str, Occasion], Value] = lambda _, __: Unknown(),
    ) -> None:
        self.file = file
        self.label = label
        self.inputs = inputs
        self.secrets = secrets
        self.levels = levels
        self.needs = needs
        self.above = above
        self.job = job
        self.token = token
        self._outputs_of = outputs
        self._outputs: dict[tuple[str, Occasion], Value] = {}
        self._known: dict[tuple[str, Occasion], bool | None] = {}
        self._orders: dict[str, tuple[str, ...]] = {}

    def holds(self, path: str) -> bool:
        """Is a file this one, or one that calls it?"""
        return path == self.file.path or (self.above is not None and self.above.holds(path))

    def condition(self, job: str) -> Condition:
        """When a job runs."""
        return lambda occasion: self.runs(job, occasion)

    def runs(self, job: str, occasion: Occasion) -> bool | None:
        """Does a job run on an occasion? Jobs that need each other do not."""
        if (job, occasion) not in self._known:
            pending = [name for name in self.order(job) if (name, occasion) not in self._known]
            self._known.update(((name, occasion), None) for name in pending)  # while they are asked
            for name in pending:
                self._known[name, occasion] = self._asked(name, occasion)
        return self._known[job, occasion]

    def results_of(self, job: str) -> Callable[[Occasion], Value]:
        """`needs` as the steps of a job read it."""
        return lambda occasion: self.results(job, occasion, well=False)

    def told(self, job: str, occasion: Occasion) -> Value:
        """`needs` as texts read it: outputs, where they are known."""
        found: dict[str, Value] = {}
        for name in self.file.needs(job):
            known = self.outputs(name, occasion) if self.runs(name, occasion) else Unknown()
            found[name] = Object({"outputs": known}, anything)
        return Object(found)

    def outputs(self, job: str, occasion: Occasion) -> Value:
        """The outputs of a job that runs; unknown in long chains of jobs."""
        key = (job, occasion)
        if key not in self._outputs:
            self._outputs[key] = Unknown()  # while it is asked
            if job in self.file.jobs and len(self.order(job)) <= MAX_CHAIN:
                self._outputs[key] = self._outputs_of(job, occasion)
        return self._outputs[key]

    def results(self, job: str, occasion: Occasion, *, well: bool = True) -> Value:
        """`needs` as a job reads it; `well` where all that ran succeeded."""
        found: dict[str, Value] = {}
        for name in self.file.needs(job):
            ran = self.runs(name, occasion)
            found[name] = _result(ran, Unknown() if ran is False else self.outputs(name, occasion), well=well)
        return Object(found)

    def _asked(self, job: str, occasion: Occasion) -> bool | None:
        gate = True if self.above is None else self.above.runs(self.job, occasion)
        if gate is False:
            return False
        node = self.file.jobs.get(job)
        if node is None:
            return None
        ran = [self.runs(name, occasion) for name in self.order(job)[:-1]]
        good = every(ran)
        there, expression = expression_of(node.get("if"))
        if not there:
            return every((gate, good))
        if expression is None:
            return None
        frame = Frame(self.inputs, self.secrets)
        status = Status(Unknown() if good is None else good, needs=self.results(job, occasion))
        found = can_hold(expression, Look(frame, occasion, status), occasion.domains)
        if not asks_for_status(expression):
            return every((gate, good, found))
        needs = self.results(job, occasion, well=False)
        ends = [Status(False, False, True, needs)]
        if any(answer is not False for answer in ran):
            ends.append(Status(False, True if True in ran else Unknown(), False, needs))
        others = (can_hold(expression, Look(frame, occasion, end), occasion.domains) for end in ends)
        return every((gate, some((found, *others))))

    def order(self, job: str) -> tuple[str, ...]:
        """A job and all that it needs, what is needed first."""
        if job not in self._orders:
            found: dict[str, None] = {}
            waiting = [(job, False)]
            entered: set[str] = set()
            while waiting:
                name, done = waiting.pop()
                if done:
                    found[name] = None
                elif name not in entered:
                    entered.add(name)
                    waiting.append((name, True))
                    waiting.extend((needed, False) for needed in self.file.needs(name))
            self._orders[job] = tuple(found)
        return self._orders[job]


def _result(ran: bool | None, outputs: Value, *, well: bool) -> Value:
    """What `needs.x` holds."""
    if ran is False:
        return Object({"result": "skipped", "outputs": Object({}, lambda _: "")})
    result: Value = Unknown(truth=True, unlike=frozenset({"skipped"}) if ran else frozenset())
    if well:
        result = "success" if ran else Unknown(truth=True, unlike=_ENDED)
    return Object({"result": result, "outputs": outputs if ran else Unknown()})
