"""What reading a large metastore costs: requests, seconds and peak memory of `lakewarden collect`, at two sizes in one run.

    python benchmarks/collect.py [--tables 20000]

A contract server in a process of its own shows an estate that is made while it is read: three catalogs, sixty schemas. The
second size is a quarter of the first, so that one sees whether requests and seconds grow with the tables. Budget: fewer than
three requests for each table when grants come object by object.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_CHECKOUT = Path(__file__).parents[1]
_SERVE = """
import sys, time
from tests.contract import Pages, realistic, serve
estate = realistic(0, tables=int(sys.argv[1]))
estate.metastore_owner = estate.admin.name
with serve(estate, Pages(size=1000, empty=())) as server:
    print(server.url, estate.admin.token, flush=True)
    sys.stdin.read()
"""


def measure(tables: int) -> None:
    """Collect one estate and print what it cost."""
    path = os.pathsep.join((str(_CHECKOUT / "src"), str(_CHECKOUT)))
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVE, str(tables)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    if server.stdout is None or server.stdin is None:
        raise SystemExit("the server has no pipes")
    try:
        url, token = server.stdout.readline().split()
        with tempfile.TemporaryDirectory() as folder:
            before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
            done = subprocess.run(
                [sys.executable, "-m", "lakewarden", "collect", "-o", "estate.snap", "--workspace", url],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": path, "DATABRICKS_TOKEN": token, "DATABRICKS_CONFIG_FILE": "none"},
                capture_output=True,
                text=True,
                check=False,
            )
            seconds = time.monotonic() - begin
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            size = (Path(folder) / "estate.snap").stat().st_size if done.returncode in (0, 3) else 0
    finally:
        server.stdin.close()
        server.wait()
    if done.returncode not in (0, 3):
        raise SystemExit(done.stderr)
    requests = int(done.stderr.split()[-2].replace(",", ""))
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(
        f"{tables:>9,} tables   {requests:>9,} requests ({requests / tables:.2f} a table)   {seconds:7.1f} s   {cpu:7.1f} s CPU   "
        f"peak {after.ru_maxrss / 1024:,.0f} MiB   snapshot {size / 2**20:.1f} MiB   {done.stdout.splitlines()[0]}"
    )


def main() -> None:
    """Print a line for each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, default=20_000, help="tables at the large end")
    arguments = parser.parse_args()
    for tables in (arguments.tables // 4, arguments.tables):
        measure(tables)


if __name__ == "__main__":
    main()
