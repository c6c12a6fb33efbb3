"""What words come to: texts with HOLE for what is not known, each under the conditions that lead to it."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.ci.shell.variables import ROOTS, mark, marked, without_prefix
from lakewarden.sources.repository.ci.shell.words import Variable, Word
from lakewarden.sources.repository.ci.workflow import HOLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from lakewarden.sources.repository.ci.workflow import Situation

    Guard = Callable[[Situation], bool | None]

#: Beyond so many values a variable is not known.
_MAX_VALUES = 8
_MAX_LENGTH = 4000
#: Stands between the items of an array.
ITEM = "\6"
#: Stands for the folder that the repository is checked out to.
ROOT = "\3"


class Alternative(NamedTuple):
    """One value, and the conditions under which it holds."""

    text: str
    guards: tuple[Guard, ...] = ()


UNKNOWN = (Alternative(HOLE),)


def not_known(_: Situation) -> bool | None:
    """The condition of which nothing is known."""
    return None


def negated(guard: Guard) -> Guard:
    """The opposite condition."""
    if guard is not_known:
        return guard

    def opposite(situation: Situation) -> bool | None:
        answer = guard(situation)
        return None if answer is None else not answer

    return opposite


class Variables:
    """The variables of a shell. `declared` tells that all of them are declared, so that another one is empty."""

    def __init__(self, values: Mapping[str, str], *, declared: bool) -> None:
        self.values: dict[str, tuple[Alternative, ...]] = {
            name: (Alternative(_from_file(value, values)),) for name, value in values.items()
        }
        self.declared = declared

    def copy(self) -> Variables:
        """Another shell with the same variables."""
        new = Variables({}, declared=self.declared)
        new.values = dict(self.values)
        return new

    def single(self) -> Iterator[tuple[str, tuple[Alternative, ...]]]:
        """The variables that have one value."""
        return ((name, values) for name, values in self.values.items() if len(values) == 1)

    def get(self, name: str) -> tuple[Alternative, ...] | None:
        """The values of a variable; None where it is not set here."""
        found = self.values.get(name)
        if found is not None:
            return found
        if name.startswith("${{"):
            inner = name[3:-2].strip()
            if inner.startswith("env."):
                return self.values.get(inner[4:])
            return (Alternative(marked(name)),)
        upper = name.upper()
        if upper in ROOTS:
            return (Alternative(ROOT),)
        if "." in name or "_" in name:
            known = mark(name)
            if known is not None:
                return (Alternative(known),)
        if upper != name:  # Azure Pipelines: `$(name)` is NAME in the environment
            return self.values.get(upper)
        return None

    def set(self, name: str, values: Iterable[Alternative]) -> None:
        """Give a variable its values."""
        found = tuple(values)
        self.values[name] = found if 0 < len(found) <= _MAX_VALUES else UNKNOWN

    def merge(self, branches: list[tuple[tuple[Guard, ...], Variables]]) -> None:
        """Take over what branches, each under its conditions, leave behind."""
        names = {name for _, branch in branches for name, value in branch.values.items() if self.values.get(name) is not value}
        for name in names:
            unset = (Alternative("" if self.declared else HOLE),)
            self.set(
                name,
                [
                    Alternative(one.text, one.guards + guards)
                    for guards, branch in branches
                    for one in branch.values.get(name, unset)
                ],
            )

    def expand(self, word: Word) -> tuple[Alternative, ...]:
        """What a word comes to."""
        literal = word.literal
        if literal is not None:
            return (Alternative(literal),)
        found = [(Alternative(part),) if isinstance(part, str) else self._part(part) for part in word.parts]
        return combined(found)

    def _part(self, part: object) -> tuple[Alternative, ...]:
        if not isinstance(part, Variable):
            return UNKNOWN
        values = self.get(part.name)
        if values is None:
            return self._unset(part)
        if part.how in ("", "[@]", "[*]") or part.how.endswith("?"):
            return values
        if part.how.endswith(("-", "=")):
            if any(HOLE in one.text for one in values):
                return UNKNOWN
            return values if values[0].text or not part.how.startswith(":") else (Alternative(_plain(part.rest)),)
        return tuple(Alternative(_changed(one.text, part.how, part.rest), one.guards) for one in values)

    def _unset(self, part: Variable) -> tuple[Alternative, ...]:
        known_empty = part.name.isdigit() or (self.declared and part.name.isidentifier())
        if known_empty and part.how.endswith(("-", "=")):
            return (Alternative(_plain(part.rest)),)
        return UNKNOWN


def combined(found: list[tuple[Alternative, ...]]) -> tuple[Alternative, ...]:
    """The texts of neighbours joined, each combination once."""
    count = 1
    for values in found:
        count *= len(values)
    if count > _MAX_VALUES:
        found = [values if len(values) == 1 else UNKNOWN for values in found]
    made = []
    for choice in product(*found):
        text = "".join(one.text for one in choice)
        guards = tuple(guard for one in choice for guard in one.guards)
        made.append(Alternative(text if len(text) <= _MAX_LENGTH else HOLE, guards))
    return tuple(made)


def _from_file(value: str, values: Mapping[str, str]) -> str:
    """The value of a variable of the file: what comes from the CI system is not known, other than by its name."""
    value = marked(value)
    if "$" not in value:
        return value
    name = value.strip().removeprefix("$").strip("(){}")
    other = values.get(name, "$")
    return other if "$" not in other else mark(name) or HOLE


def _plain(text: str) -> str:
    """A default in `${name:-default}`: its text where it is one."""
    text = text.strip("\"'")
    return HOLE if "$" in text or "`" in text else text


def _changed(text: str, how: str, rest: str) -> str:
    """A value with an operator of the shell applied."""
    pattern = _plain(rest)
    if how in ("#", "##"):
        if pattern in ("refs/heads/", "refs/tags/", "*/") and (shorter := without_prefix(text)) is not None:
            return shorter
        if HOLE not in text + pattern and "\1" not in text and not any(char in pattern for char in "*?["):
            return text.removeprefix(pattern)
    if how in ("%", "%%") and HOLE not in text + pattern and "\1" not in text and not any(char in pattern for char in "*?["):
        return text.removesuffix(pattern)
    if how in (",", ",,", "^", "^^") and HOLE not in text and "\1" not in text and not rest:
        whole = len(how) > 1
        change = str.lower if how.startswith(",") else str.upper
        return change(text) if whole else change(text[:1]) + text[1:]
    return HOLE
