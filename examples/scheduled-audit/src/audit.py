"""Runs `lakewarden audit` with a history of Delta tables on a volume.

The package that writes Delta tables commits by renaming a file to a name that must be free, which volumes do not offer: the
audit works on a copy of the history on the local disk, and what is new in it is put back, the commits of each table last.
"""

import argparse
import contextlib
import os
import shutil
import sys
import tempfile
from pathlib import Path


def log_in(scope: str) -> None:
    """Log in to every workspace as the service principal of a secret scope; without one as who runs the job, to its workspace."""
    if scope == "none":
        return
    from databricks.sdk.runtime import dbutils

    os.environ["DATABRICKS_AUTH_TYPE"] = "oauth-m2m"
    os.environ["DATABRICKS_CLIENT_ID"] = dbutils.secrets.get(scope, "client-id")
    os.environ["DATABRICKS_CLIENT_SECRET"] = dbutils.secrets.get(scope, "client-secret")


def audit(arguments: list[str]) -> int:
    """The exit code of an audit, in this process: only here the login of the job is known."""
    from lakewarden.cli.main import main

    sys.argv = ["lakewarden", "audit", *arguments]
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def put_back(work: Path, kept: Path) -> None:
    """Copy what is new. A commit is written after its data, and `audits` after the other tables: an audit that is cut off here
    counts for nothing."""
    for table in ("rules", "verdicts", "served", "sights", "audits"):
        found = [path for path in (work / table).rglob("*") if path.is_file()]
        for path in sorted(found, key=lambda path: (path.parent.name == "_delta_log", path.name)):
            place = kept / path.relative_to(work)
            if not place.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, place)


def main() -> int:
    """Audit, and keep what was found."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--volume", type=Path, required=True)
    parser.add_argument("--secrets", default="none")
    parser.add_argument("arguments", nargs="*")
    asked = parser.parse_args()
    kept = asked.volume / "history"
    log_in(asked.secrets)
    with tempfile.TemporaryDirectory() as folder:
        work, report = Path(folder, "history"), Path(folder, "newest.json")
        if kept.exists():
            shutil.copytree(kept, work, copy_function=shutil.copyfile)
        code = audit([*asked.arguments, f"--history=delta:{work}", f"--output=json={report}"])
        if work.exists():
            put_back(work, kept)
        with contextlib.suppress(FileNotFoundError):  # the audit did not come that far
            shutil.copyfile(report, asked.volume / "newest.json")
    return code


if __name__ == "__main__":
    ended = main()
    if ended:  # SystemExit would fail the task for 0 too
        raise RuntimeError(f"the audit ended with exit code {ended}: its report stands above, and on the volume")
