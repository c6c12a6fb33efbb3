"""Compares what `lakewarden lint` tells of public repositories with what people said of it.

    python tests/corpus/score.py --checkouts DIR

`DIR` holds a folder for each repository, `owner+name` or `name`, at the commit that the labels name (another commit moves
lines). Prints, for each rule, how many right findings of `reviewed.jsonl` are still told and how many wrong ones are, and then
what `recall.py` measures against `labels.jsonl` and `targets.jsonl`. Exit 1 where a right finding is lost, a wrong one is told
or a measure is out of its bounds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, NamedTuple

LABELS = Path(__file__).with_name("reviewed.jsonl")
SOURCES = Path(__file__).parents[2] / "src"


class Place(NamedTuple):
    """Where a finding is told: path, line (NULL for a whole file) and rule."""

    path: str | None
    line: int | None
    code: str


class Score(NamedTuple):
    """The labels of one rule: right ones still told and lost, wrong ones still told and gone."""

    kept: int = 0
    lost: int = 0
    told: int = 0
    gone: int = 0


def read_labels(path: Path = LABELS) -> list[dict[str, Any]]:
    """Every label of the file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def folder_of(repository: str, checkouts: Path) -> Path | None:
    """The folder of a repository, `owner+name` or `name`."""
    owner, _, name = repository.partition("/")
    return next((folder for folder in (checkouts / f"{owner}+{name}", checkouts / name) if folder.is_dir()), None)


class Done(NamedTuple):
    """How a command of Lakewarden ended."""

    code: int
    output: str
    errors: str
    seconds: float


def run(*arguments: str) -> Done:
    """Run the command line of these sources, as a process of its own."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(SOURCES), os.environ.get("PYTHONPATH")]))}
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "lakewarden", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        env=environment,
    )
    return Done(done.returncode, done.stdout, done.stderr, time.perf_counter() - begin)


def findings_of(folder: Path) -> Counter[Place]:
    """How often lint tells each rule at each place of a checkout."""
    done = run("lint", str(folder), "--output-format", "json", "--show", "advisory", "--exit-zero")
    if done.code:
        raise SystemExit(f"lint of {folder} ended with {done.code}\n{done.errors}")
    told: Counter[Place] = Counter()
    for finding in json.loads(done.output)["findings"]:
        if finding["verdict"] == "fail":
            location = finding["location"] or {}
            told[Place(location.get("path"), location.get("line"), finding["code"])] += 1
    return told


def is_told(label: dict[str, Any], told: Counter[Place]) -> bool:
    """Is the finding of a label told? One that is wrong only by being repeated is told when it is told more than once."""
    allowed: int = label.get("times", 0)
    return told[Place(label["path"], label["line"], label["code"])] > allowed


def score(labels: list[dict[str, Any]], told: dict[str, Counter[Place]]) -> tuple[dict[str, Score], list[dict[str, Any]]]:
    """The score of each rule, and the labels that lint does not agree with. Repositories without findings are left out."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    apart = []
    for label in labels:
        of_repository = told.get(label["repository"])
        if of_repository is None:
            continue
        right, now = label["verdict"] == "right", is_told(label, of_repository)
        counts[label["code"]]["kept" if right and now else "lost" if right else "told" if now else "gone"] += 1
        if right != now:
            apart.append(label)
    return {code: Score(**counts[code]) for code in sorted(counts)}, apart


def table(scores: dict[str, Score]) -> list[str]:
    """One line a rule, and one for all."""
    total = Score(*(sum(column) for column in zip(*scores.values(), strict=True))) if scores else Score()
    lines = [f"{'rule':8} {'right, told':>12} {'right, lost':>12} {'wrong, told':>12} {'wrong, gone':>12}"]
    for code, one in [*scores.items(), ("all", total)]:
        lines.append(f"{code:8} {one.kept:12} {one.lost:12} {one.told:12} {one.gone:12}")
    return lines


def main(arguments: list[str] | None = None) -> int:
    """Run lint over the checkouts and print the comparisons."""
    from tests.corpus.recall import LABELS as PLACES
    from tests.corpus.recall import TARGETS, compare

    parser = argparse.ArgumentParser(description="Compare lint with the labels of public repositories.")
    parser.add_argument("--checkouts", type=Path, required=True, metavar="DIR", help="folder of checkouts, owner+name or name")
    parser.add_argument("--labels", type=Path, default=LABELS, metavar="FILE", help="the findings that were read")
    parser.add_argument("--places", type=Path, default=PLACES, metavar="FILE", help="the places that were labelled before")
    parser.add_argument("--targets", type=Path, default=TARGETS, metavar="FILE", help="the targets that were read")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="how many repositories to measure at a time")
    parser.add_argument("--select", metavar="CODES", help="measure these rules alone, those of a preview too")
    parser.add_argument("--only", type=Path, metavar="FILE", help="measure the repositories that FILE names, one a line")
    given = parser.parse_args(arguments)
    labels = read_labels(given.labels)
    told: dict[str, Counter[Place]] = {}
    lines = []
    for repository in sorted({label["repository"] for label in labels}):
        folder = folder_of(repository, given.checkouts)
        if folder is None:
            lines.append(f"no checkout of {repository}")
        else:
            told[repository] = findings_of(folder)
    scores, apart = score(labels, told)
    lines.append(f"{len(told)} repositories, {sum(sum(one) for one in scores.values())} labels")
    lines.extend(table(scores))
    for label in apart:
        what = "lost" if label["verdict"] == "right" else "told"
        lines.append(f"{what}: {label['repository']} {label['path']}:{label['line']} {label['code']}: {label['why']}")
    measured, good = compare(given.checkouts, given.places, given.targets, jobs=given.jobs, select=given.select, only=given.only)
    sys.stdout.write("\n".join([*lines, "", *measured]) + "\n")
    return 0 if good and not apart else 1


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    sys.exit(main())
