"""Measures lint against places that people labelled before they ran it (`labels.jsonl`) and targets that they read
(`targets.jsonl`). `score.py` prints it.

A violation is told *here* where a finding of its rule stands at its line (two lines about it, or within the lines that the
finding spans, or at a related place), or about its whole file. It is told *elsewhere* where a finding of its rule names the
target, or in the same file the secret or the resource, that stands on its line, and where it is about the whole project. A look-alike is told where a finding of its
rule begins at its line, one line about it, and no violation stands nearer.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from tests.corpus.score import folder_of, read_labels, run

LABELS = Path(__file__).with_name("labels.jsonl")
TARGETS = Path(__file__).with_name("targets.jsonl")
EXIT_CODES = {0, 1, 3, 4}  # 2 and what lies above are never an answer about a repository
NEAR, BESIDE = 2, 1  # lines about a violation, and about a look-alike
RECALL, ALARMS, FACTS = 0.90, 0.02, 0.99


class Told(NamedTuple):
    """One finding: its rule, the lines of each file that it stands at (its own first; 0 for a whole file), its target, and the
    names of its object."""

    code: str
    places: tuple[tuple[str, int, int], ...]
    target: str | None
    names: frozenset[str]
    advisory: bool
    message: str


class Run(NamedTuple):
    """What lint and facts said about one repository."""

    told: list[Told]
    targets: dict[tuple[str, str], dict[str, Any]]
    exit_code: int
    seconds: float
    skipped: list[str]
    trouble: str  # empty where both ended well


class Measure(NamedTuple):
    """The labels of one rule: violations told here, told elsewhere, missed; look-alikes left alone, told, told as advisory."""

    here: int = 0
    elsewhere: int = 0
    missed: int = 0
    quiet: int = 0
    alarms: int = 0
    advised: int = 0

    @property
    def violations(self) -> int:
        return self.here + self.elsewhere + self.missed

    @property
    def recall(self) -> float:
        return (self.here + self.elsewhere) / self.violations if self.violations else 1.0

    @property
    def look_alikes(self) -> int:
        return self.quiet + self.alarms + self.advised


def names_of(subject: str) -> frozenset[str]:
    """The names of a finding's object: the last part of its subject, and the secrets (WORDS_IN_CAPITALS) in it."""
    last = subject.rstrip("/").rpartition("/")[2].partition("#")[0]
    return frozenset(name for name in (last, *re.findall(r"\b[A-Z][A-Z0-9_]{3,}\b", subject)) if len(name) > 2)


def told_of(finding: dict[str, Any]) -> Told:
    """A finding of the JSON report."""
    places = tuple(
        (place["path"], place.get("line") or 0, place.get("end_line") or place.get("line") or 0)
        for place in [finding["location"], *finding["related"]]
        if place
    )
    names = names_of(finding["subject"] or "")
    if finding["subject"] == finding["project"]:
        places = ()  # about a whole project; the place is only one to begin at
    return Told(finding["code"], places, finding["target"], names, finding["confidence"] == "advisory", finding["message"])


def read(folder: Path, select: str | None = None) -> Run:
    """Run lint and facts over a checkout."""
    chosen = ["--select", select] if select else []
    lint = run("lint", str(folder), "--profile", "strict", "--output-format", "json", *chosen)
    facts = run("facts", str(folder), "--output-format", "json", "--table", "targets")
    trouble = "; ".join(
        f"{name} ended with {done.code}: {done.errors.strip().splitlines()[-1:]}"
        for name, done in (("lint", lint), ("facts", facts))
        if done.code not in EXIT_CODES or "Traceback" in done.errors
    )
    empty: dict[str, Any] = {"findings": [], "summary": {"skipped": []}}
    report = json.loads(lint.output) if lint.output.startswith("{") else empty
    rows = json.loads(facts.output).get("targets", []) if facts.output.startswith("{") else []
    return Run(
        [told_of(finding) for finding in report["findings"] if finding["verdict"] == "fail"],
        {(row["path"], row["name"]): row for row in rows},
        lint.code,
        lint.seconds,
        [str(file) for file in report["summary"]["skipped"]],
        trouble,
    )


def places_of(label: dict[str, Any]) -> list[tuple[str, int]]:
    """The places at which a violation may be told: its own, and others of the same object (`also`)."""
    others = [str(one).rpartition(":") for one in label.get("also", [])]
    own = [(label["path"], label["line"])] if label["line"] else []
    return own + [(path or label["path"], int(line)) for path, _, line in others]


def stands_at(told: Told, label: dict[str, Any]) -> bool:
    """Does a finding stand at the place of a violation, or about its whole file?"""
    if any(path == label["path"] and (label["line"] is None or not first) for path, first, _ in told.places):
        return True
    return any(
        path == where and first - NEAR <= line <= last + NEAR
        for path, first, last in told.places
        for where, line in places_of(label)
        if first
    )


def how(label: dict[str, Any], told: list[Told], source: str) -> str:
    """How a violation is told: `here`, `elsewhere` or `missed`; `source` is the label's line of the file."""
    of_rule = [one for one in told if one.code == label["code"]]
    if any(stands_at(one, label) for one in of_rule):
        return "here"
    whole = re.findall(r"[\w.@-]+", source)
    words = {*whole, *(part for word in whole for part in word.split("."))}
    for one in of_rule:
        same_file = any(path == label["path"] for path, _, _ in one.places)
        if not one.places or one.target in words or (same_file and one.names & words):
            return "elsewhere"
    return "missed"


def alarm(label: dict[str, Any], told: list[Told], violations: list[dict[str, Any]]) -> Told | None:
    """The finding that stands at a look-alike, and not at a violation of the same rule that is as near."""
    for one in told:
        if one.code != label["code"] or not one.places or one.places[0][0] != label["path"]:
            continue
        line = one.places[0][1]
        beside = 0 if label["path"].endswith(".txt") else BESIDE  # each line of a list of requirements is one of its own
        away = 0 if label["line"] is None else abs(line - label["line"])
        real = [abs(line - other) for violation in violations for path, other in places_of(violation) if path == label["path"]]
        if away <= beside and away < min(real, default=away + 1):
            return one
    return None


def measure(labels: list[dict[str, Any]], runs: dict[str, Run], sources: dict[str, Path]) -> tuple[dict[str, Measure], list[str]]:
    """The measure of each rule, and one line for each label that lint does not agree with."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    violations: dict[tuple[str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for label in labels:
        if label["expect"] == "violation":
            violations[label["repository"], label["path"], label["code"]].append(label)
    lines = []
    for label in labels:
        if label["repository"] not in runs:
            continue
        told, place = runs[label["repository"]].told, f"{label['repository']} {label['path']}:{label['line']} {label['code']}"
        if label["expect"] == "violation":
            result = how(label, told, line_of(sources[label["repository"]], label))
            if result == "missed":
                lines.append(f"missed: {place}: {label['why']}")
        else:
            one = alarm(label, told, violations[label["repository"], label["path"], label["code"]])
            result = "quiet" if one is None else "advised" if one.advisory else "alarms"
            if one is not None:
                lines.append(f"{'advised' if one.advisory else 'false alarm'}: {place}: {label['why']}; told: {one.message}")
        counts[label["code"]][result] += 1
    return {code: Measure(**counts[code]) for code in sorted(counts)}, lines


def line_of(folder: Path, label: dict[str, Any]) -> str:
    """The line of a label in its file."""
    file = folder / label["path"]
    if label["line"] is None or not file.is_file():
        return ""
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return lines[label["line"] - 1] if label["line"] <= len(lines) else ""


def said_of(fact: str, row: dict[str, Any]) -> str | None:
    """A fact of a target as the labels write it: a host without its scheme, the kind before who a target runs as."""
    if fact == "default":
        return str(bool(row["is_default"])).lower()
    if fact == "run_as":
        return row["run_as"] if row["run_as"] in (None, "none") else f"{row['run_as_kind']}:{row['run_as']}"
    return plain(row[fact])


def plain(value: str | None) -> str | None:
    """A value without the scheme, capitals of a host and a slash at its end."""
    return value.removeprefix("https://").rstrip("/") if isinstance(value, str) else value


def facts(targets: list[dict[str, Any]], runs: dict[str, Run]) -> tuple[int, list[str]]:
    """How many target facts are right, and one line for each that is wrong."""
    right, lines = 0, []
    for label in targets:
        if label["repository"] not in runs:
            continue
        row = runs[label["repository"]].targets.get((label["bundle"], label["target"]))
        said = said_of(label["fact"], row) if row else "no such target"
        if said == plain(label["value"]):
            right += 1
        else:
            place = f"{label['repository']} {label['bundle']} {label['target']}"
            lines.append(f"wrong fact: {place} {label['fact']}: read {label['value']}, told {said}")
    return right, lines


def total(measures: list[Measure]) -> Measure:
    """The sum of some measures."""
    return Measure(*(sum(column) for column in zip(*measures, strict=True))) if measures else Measure()


def table(measures: dict[str, Measure]) -> list[str]:
    """One line a rule, one for each recommendation, and one for all."""
    lines = [f"{'rule':8} {'here':>6} {'elsewhere':>10} {'missed':>7} {'recall':>7} {'quiet':>6} {'alarms':>7} {'advised':>8}"]
    groups: dict[str, list[str]] = defaultdict(list)
    for code in measures:
        groups[code[:3]].append(code)
    rows = [(code, measures[code]) for code in measures]
    rows += [(group, total([measures[code] for code in codes])) for group, codes in groups.items()]
    rows.append(("all", total(list(measures.values()))))
    for name, one in rows:
        recall = f"{one.recall:.0%}" if one.violations else "-"
        lines.append(
            f"{name:8} {one.here:6} {one.elsewhere:10} {one.missed:7} {recall:>7} {one.quiet:6} {one.alarms:7} {one.advised:8}"
        )
    return lines


def compare(
    checkouts: Path, labels: Path, targets: Path, *, jobs: int = 1, select: str | None = None, only: Path | None = None
) -> tuple[list[str], bool]:
    """The lines to print, and whether every figure is within its bound."""
    told, read_targets = read_labels(labels), read_labels(targets)
    if select:
        told = [label for label in told if label["code"].startswith(tuple(select.split(",")))]
    if only:
        wanted = set(only.read_text(encoding="utf-8").split())
        told, read_targets = ([label for label in one if label["repository"] in wanted] for one in (told, read_targets))
    names = sorted({label["repository"] for label in [*told, *read_targets]})
    sources = {name: folder for name in names if (folder := folder_of(name, checkouts)) is not None}
    with ThreadPoolExecutor(jobs) as pool:
        runs = dict(zip(sources, pool.map(lambda folder: read(folder, select), sources.values()), strict=True))
    lines = [f"{len(runs)} of {len(names)} labelled repositories are there"]
    if not runs:
        return lines, True
    measures, apart = measure(told, runs, sources)
    right, wrong = facts(read_targets, runs)
    everything, known = total(list(measures.values())), right + len(wrong)
    trouble = [f"trouble: {name}: {run.trouble}" for name, run in runs.items() if run.trouble]
    seconds = sorted(run.seconds for run in runs.values())
    exits = Counter(run.exit_code for run in runs.values())
    lines += table(measures)
    lines += [
        f"target facts: {right} of {known} right",
        f"look-alikes told: {everything.alarms} of {everything.look_alikes}, and {everything.advised} as advice",
        f"exit codes: {', '.join(f'{code}: {count}' for code, count in sorted(exits.items()))}",
        f"files skipped and named: {sum(len(run.skipped) for run in runs.values())}",
        f"seconds: {sum(seconds):.1f} in all, {seconds[len(seconds) // 2]:.2f} in the middle, {seconds[-1]:.2f} at most",
        *trouble,
        *apart,
        *wrong,
    ]
    groups = {code[:3] for code in measures}
    recalls = [total([one for code, one in measures.items() if code[:3] == group]).recall for group in groups]
    good = min(recalls, default=1.0) >= RECALL and everything.alarms <= ALARMS * max(everything.look_alikes, 1)
    return lines, good and right >= FACTS * known and not trouble
