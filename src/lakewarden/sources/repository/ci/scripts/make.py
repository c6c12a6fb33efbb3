"""Makefiles: the commands that goals run, as shell text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.sources.repository.ci.workflow import HOLE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_ASSIGNMENT = re.compile(r"(?:export\s+|override\s+)?([\w.\-]+)\s*(::?:?=|\?=|\+=|!=|=)\s*(.*)")
_RULE = re.compile(r"([^\s:=#][^:=#]*?)\s*::?(?!=)\s*([^;#]*)(?:;(.*))?")
_INCLUDE = re.compile(r"[-s]?include\s+(.+)")
_REFERENCE = re.compile(r"\$(?:\(([^()$]*)\)|\{([^{}$]*)\}|([@<^*?+%])|([A-Za-z_]))")
_COMMENT = re.compile(r"(?<!\\)#.*")
_MAX_DEPTH, _MAX_INCLUDES, _MAX_ROUNDS = 12, 10, 6
_MAX_LINES = 400


class _Rule(NamedTuple):
    needs: tuple[str, ...]
    lines: list[str]


class _Makefile:
    """Rules and variables. `given` are those of the command line, which win; `known` those of the environment."""

    def __init__(self, given: Mapping[str, str], known: Mapping[str, str], read: Callable[[str], str | None]) -> None:
        self.given = given
        self.known = known
        self.read = read
        self.variables: dict[str, str] = {}
        self.rules: dict[str, _Rule] = {}
        self.stems: dict[str, str] = {}
        self.first = ""
        self.includes = 0

    def load(self, text: str) -> None:
        current: list[_Rule] = []
        inside_define = False
        for line in re.split(r"\r?\n", _joined(text)):
            if inside_define:
                inside_define = not line.strip().startswith("endef")
            elif line.startswith("\t") and current:
                for rule in current:
                    rule.lines.append(line[1:])
            elif line.strip() and not line.lstrip().startswith("#"):
                inside_define = line.strip().startswith("define ")
                current = self._line(_COMMENT.sub("", line).rstrip(), current)

    def _line(self, line: str, current: list[_Rule]) -> list[_Rule]:
        bare = line.strip()
        if bare.startswith(("ifeq", "ifneq", "ifdef", "ifndef", "else", "endif")):
            return current
        if (include := _INCLUDE.fullmatch(bare)) is not None and self.includes < _MAX_INCLUDES:
            self.includes += 1
            for name in self.expand(include[1], "").split():
                text = self.read(name) if HOLE not in name else None
                if text is not None:
                    self.load(text)
            return []
        if (found := _ASSIGNMENT.fullmatch(bare)) is not None:
            self._assign(found[1], found[2], found[3])
            return []
        rule = _RULE.fullmatch(line)
        return self._rule(rule[1], rule[2], rule[3]) if rule is not None else []

    def _assign(self, name: str, how: str, value: str) -> None:
        if name in self.given or (how == "?=" and (name in self.variables or name in self.known)):
            return
        if how == "+=":
            value = f"{self.variables.get(name, '')} {value}".strip()
        self.variables[name] = HOLE if how == "!=" else value.strip()

    def _rule(self, names: str, needs: str, line: str | None) -> list[_Rule]:
        found = []
        for name in self.expand(names, "").split():
            before = self.rules.get(name)
            own = tuple(part for part in self.expand(needs, name).split() if part != "|" and HOLE not in part)
            rule = _Rule((*(before.needs if before else ()), *own), before.lines if before else [])
            if line:
                rule.lines.append(line.strip())
            self.rules[name] = rule
            if not self.first and not name.startswith(".") and "%" not in name:
                self.first = name
            found.append(rule)
        return found

    def rule(self, goal: str) -> _Rule | None:
        """The rule of a goal: its own, else the first whose pattern it matches; the part that `%` stands for is kept."""
        for name, rule in self.rules.items():
            before, percent, after = name.partition("%")
            if (
                goal not in self.rules
                and percent
                and len(goal) >= len(before) + len(after)
                and goal.startswith(before)
                and goal.endswith(after)
            ):
                self.stems[goal] = goal[len(before) : len(goal) - len(after)]
                return rule._replace(needs=tuple(need.replace("%", self.stems[goal]) for need in rule.needs))
        return self.rules.get(goal)

    def expand(self, text: str, goal: str) -> str:
        """A text with the references of Make replaced; a variable that is not set here is left to the shell."""
        text = text.replace("$$", "\4")
        for _ in range(_MAX_ROUNDS):
            changed = _REFERENCE.sub(lambda found: self._value(found, goal), text)
            if changed == text or len(changed) > 10_000:  # noqa: PLR2004 - grows without end
                break
            text = changed
        return text.replace("\5", "$").replace("\4", "$")

    def _value(self, found: re.Match[str], goal: str) -> str:
        if found[3]:
            return goal if found[3] == "@" else self.stems.get(goal, HOLE) if found[3] == "*" else HOLE
        name = (found[1] or found[2] or found[4] or "").strip()
        if name == "MAKE":
            return "make"
        if " " in name or ":" in name or "," in name:
            return HOLE  # a function
        value = self.given.get(name, self.variables.get(name))
        if value is not None:
            return value
        return goal if name == "@" else f"\5{{{name}}}"


def of_makefile(
    text: str, goals: Sequence[str], given: Mapping[str, str], known: Mapping[str, str], read: Callable[[str], str | None]
) -> str | None:
    """The commands that goals run, those of what they need first; None where a goal has no rule."""
    makefile = _Makefile(given, known, read)
    makefile.load(text)
    lines: list[str] = []
    done: set[str] = set()
    wanted = list(goals) or [makefile.variables.get(".DEFAULT_GOAL", makefile.first)]
    if not any(makefile.rule(goal) for goal in wanted):
        return None
    for goal in wanted:
        _run(makefile, goal, lines, done, 0)
    return "\n".join(lines)


def _run(makefile: _Makefile, goal: str, lines: list[str], done: set[str], depth: int) -> None:
    rule = makefile.rule(goal)
    if rule is None or goal in done or depth > _MAX_DEPTH or len(lines) > _MAX_LINES:
        return
    done.add(goal)
    for need in rule.needs:
        _run(makefile, need, lines, done, depth + 1)
    flags = makefile.variables.get(".SHELLFLAGS", "")
    options = ("" if re.search(r"(?:^|\s)-\w*e", flags) else "set +e; ") + ("set -o pipefail; " if "pipefail" in flags else "")
    recipe = ["\n".join(rule.lines)] if ".ONESHELL" in makefile.rules else rule.lines
    for line in recipe:
        command = makefile.expand(line.strip(), goal)
        bare = command.lstrip("@+- \t")
        ignoring = "-" in command[: len(command) - len(bare)]
        if bare:
            # Each line is a shell of its own.
            lines.append(f"({options}{bare}\n)" + (" || true" if ignoring else ""))


def _joined(text: str) -> str:
    """The text with lines that end in a backslash joined; those of recipes stay, since the shell joins them."""
    out: list[str] = []
    for line in text.split("\n"):
        if out and out[-1].rstrip("\r").endswith("\\"):
            recipe = out[-1].startswith("\t")
            before = out[-1].rstrip("\r")[:-1]
            out[-1] = before + " " + (line.lstrip("\t") if recipe else line.strip())
        else:
            out.append(line)
    return "\n".join(out)
