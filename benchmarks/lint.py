"""What `lakewarden` costs as a whole process, beside its peers in the same run: CPU seconds, wall seconds, peak memory.

    python benchmarks/lint.py PATH [--runs 7]

PATH is a checkout, databricks/bundle-examples for the budgets: `--help` 0.20 s CPU, one file 0.50 s, the repository
0.80 s and 160 MiB. Peers that are installed (ruff, bandit, check-jsonschema, pylint, semgrep, checkov) run on the same tree,
in turn with ours, so that ratios hold when the machine's speed drifts.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_PEERS = {
    "ruff": ("ruff", "check", "--no-cache", "--select", "E,F,W,I,B,S,UP,SIM", "--exit-zero", "{path}"),
    "bandit": ("bandit", "-q", "-r", "{path}"),
    "pylint": ("pylint", "--disable=all", "--enable=unused-import", "--recursive=y", "{path}"),
    "check-jsonschema": ("check-jsonschema", "--version"),
    "checkov": ("checkov", "-d", "{path}", "--framework", "github_actions", "--quiet", "--compact"),
    "semgrep": ("semgrep", "--version"),
}


class Cost(NamedTuple):
    """Of one run: CPU seconds (user and system, children included), wall seconds, peak MiB of the largest process."""

    cpu: float
    wall: float
    peak: float
    code: int


def run(command: Sequence[str]) -> Cost:
    """Run a command once, its output thrown away."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "NO_COLOR": "1"})
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Cost(usage.ru_utime + usage.ru_stime, time.perf_counter() - begin, usage.ru_maxrss / 1024, process.returncode)


def main() -> None:
    """Measure all commands in turn and print their medians, with the ratio to the first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--runs", type=int, default=7)
    arguments = parser.parse_args()
    path = str(arguments.path)
    ours = [sys.executable, "-m", "lakewarden"]
    one = next((str(file) for file in sorted(arguments.path.rglob("*.py")) if ".git" not in file.parts), path)
    commands = {
        "lakewarden lint (all)": [*ours, "lint", path],
        "lakewarden lint (all rules of every profile)": [*ours, "lint", "--profile", "strict", path],
        "lakewarden lint (one file)": [*ours, "lint", one],
        "lakewarden --help": [*ours, "--help"],
        "lakewarden --version": [*ours, "--version"],
        "python -c pass": [sys.executable, "-c", "pass"],
    }
    for name, words in _PEERS.items():
        program = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
        if program:
            commands[f"{name} {' '.join(words[1:2])}".strip()] = [program, *(word.format(path=path) for word in words[1:])]
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for number in range(arguments.runs + 1):
        for name, command in commands.items():
            cost = run(command)
            if number:  # the first run warms the disk
                costs[name].append(cost)
    first = statistics.median(cost.cpu for cost in costs["lakewarden lint (all)"])
    print(f"{'command':46} {'CPU s':>7} {'wall s':>7} {'MiB':>6} {'exit':>4} {'ratio':>6}")
    for name, found in costs.items():
        cpu = statistics.median(cost.cpu for cost in found)
        wall = statistics.median(cost.wall for cost in found)
        print(f"{name:46} {cpu:7.3f} {wall:7.3f} {max(c.peak for c in found):6.0f} {found[-1].code:4} {cpu / first:6.2f}")


if __name__ == "__main__":
    main()
