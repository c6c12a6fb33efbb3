"""What a large repository costs, cold and from the cache, and whether the cost is linear in files, beside peers in the same run.

    python benchmarks/large.py PATH [--files 10000]

PATH is a checkout. Its files are copied into folders `copy0`, `copy1`, ... until there are enough, each with a comment of its own,
so that no two are alike; a second tree holds half as many. Budgets: a run from the cache costs at most 20 % of the first, and the
first costs per file what it costs in the half tree. Peers (ruff, semgrep, checkov) run on the same tree, each as it is meant for.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from lint import Cost, run

_READ = frozenset({".py", ".ipynb", ".sql", ".yml", ".yaml", ".tf", ".toml"})
_COMMENTED = frozenset({".py", ".sql", ".yml", ".yaml", ".tf", ".toml"})
_SIGN = {".sql": "--"}


def make(source: Path, tree: Path, count: int) -> int:
    """Fill a tree with copies of a checkout's files; returns how many bytes it holds."""
    files = [
        file
        for file in sorted(source.rglob("*"))
        if file.suffix in _READ and file.is_file() and not file.is_symlink() and ".git" not in file.relative_to(source).parts
    ]
    size = made = copy = 0
    while made < count:
        for file in files[: count - made]:
            place = tree / f"copy{copy}" / file.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            end = f"\n{_SIGN.get(file.suffix, '#')} {copy}\n" if file.suffix in _COMMENTED else " " * copy
            data = file.read_bytes() + end.encode()
            place.write_bytes(data)
            made += 1
            size += len(data)
        copy += 1
    return size


def main() -> None:
    """Make the trees, measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--files", type=int, default=10_000)
    arguments = parser.parse_args()
    if not any(file.suffix in _READ for file in arguments.path.rglob("*")):
        parser.error(f"{arguments.path} holds no file that lint reads: give a checkout")
    with tempfile.TemporaryDirectory() as folder:
        whole, half, cache = Path(folder, "whole"), Path(folder, "half"), Path(folder, "cache")
        size = make(arguments.path, whole, arguments.files)
        make(arguments.path, half, arguments.files // 2)
        print(f"{arguments.files} files, {size / 1e6:.0f} MB")
        lint = ["env", f"LAKEWARDEN_CACHE_DIR={cache}", sys.executable, "-m", "lakewarden", "lint", "--profile", "strict"]
        rule = Path(folder, "rule.yml")
        rule.write_text(
            "rules: [{id: stages, languages: [python], severity: ERROR, message: stages, "
            "pattern: $X.transition_model_version_stage(...)}]\n"
        )
        commands = {
            "half as many, no cache": [*lint, "--no-cache", str(half)],
            "no cache": [*lint, "--no-cache", str(whole)],
            "first (writes the cache)": [*lint, str(whole)],
            "second (reads the cache)": [*lint, str(whole)],
            "third": [*lint, str(whole)],
        }
        peers = {
            "ruff check": ["ruff", "check", "--no-cache", "--select", "E,F,W,I,B,S,UP,SIM", "--exit-zero", str(whole)],
            "semgrep, one rule": [
                "semgrep",
                "scan",
                "--metrics=off",
                "--disable-version-check",
                "--config",
                str(rule),
                str(whole),
            ],
            "checkov, workflows and Terraform": [
                *("checkov", "-d", str(whole), "--framework", "github_actions", "terraform", "--quiet", "--compact"),
                "--skip-download",
            ],
        }
        for name, words in peers.items():
            program = shutil.which(words[0])
            if program is None:
                print(f"{name}: not installed")
            else:
                commands[name] = [program, *words[1:]]
        first: Cost | None = None
        print(f"{'command':34} {'CPU s':>8} {'wall s':>8} {'MiB':>6} {'exit':>4} {'of first':>8}")
        for name, command in commands.items():
            cost = run(command)
            first = cost if name.startswith("first") else first
            ratio = f"{cost.cpu / first.cpu:8.2f}" if first else ""
            print(f"{name:34} {cost.cpu:8.2f} {cost.wall:8.2f} {cost.peak:6.0f} {cost.code:4} {ratio}", flush=True)


if __name__ == "__main__":
    main()
