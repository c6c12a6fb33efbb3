"""What reading a large metastore costs: requests, seconds and peak memory of `lakewarden collect`, at three sizes in one run.

    python benchmarks/collect.py [--tables 20000] [--warehouse]

A contract server in a process of its own shows an estate that is made while it is read: three catalogs, sixty schemas. A
quarter and half of the tables go first, so that one sees whether requests and seconds grow with the tables. Budget: fewer than
three requests for each table when grants come object by object; with a SQL warehouse no more than eight for each schema.
"""

from __future__ import annotations

import argparse
import os
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
estate.warehouse("w-1")
audit = ["service_name", "action_name", "request_params MAP(VARCHAR, VARCHAR)", "user_identity STRUCT(email VARCHAR)"]
estate.system_table("system.access.audit", [*audit, "event_time", "event_date DATE", "response STRUCT(status_code INT)"], [])
lineage = ["metastore_id", "workspace_id", "target_table_full_name", "target_type", "created_by", "entity_type", "event_date DATE"]
entity = "entity_metadata STRUCT(job_info STRUCT(job_id VARCHAR), dlt_pipeline_info STRUCT(dlt_pipeline_id VARCHAR))"
estate.system_table("system.access.table_lineage", [*lineage, entity], [])
with serve(estate, Pages(size=1000, empty=(), chunk=5000)) as server:
    print(server.url, estate.admin.token, flush=True)
    sys.stdin.read()
"""


def measure(tables: int, *, warehouse: bool) -> None:
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
            command = [sys.executable, "-m", "lakewarden", "collect", "-o", "estate.snap", "--workspace", url]
            with (Path(folder) / "out").open("w+") as out, (Path(folder) / "err").open("w+") as err:
                begin = time.monotonic()
                process = subprocess.Popen(
                    [*command, *(("--warehouse", "w-1") if warehouse else ())],
                    cwd=folder,
                    env={**os.environ, "PYTHONPATH": path, "DATABRICKS_TOKEN": token, "DATABRICKS_CONFIG_FILE": "none"},
                    stdout=out,
                    stderr=err,
                )
                # What this one process took: `getrusage` tells of the largest of all children.
                _, status, usage = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
                seconds = time.monotonic() - begin
                said, told = ((file.seek(0), file.read())[1] for file in (out, err))
            size = (Path(folder) / "estate.snap").stat().st_size if process.returncode in (0, 3) else 0
    finally:
        server.stdin.close()
        server.wait()
    if process.returncode not in (0, 3):
        raise SystemExit(told)
    requests = int(told.split()[-2].replace(",", ""))
    cpu = usage.ru_utime + usage.ru_stime
    print(
        f"{tables:>9,} tables   {'with a warehouse' if warehouse else 'one by one':16}   {requests:>9,} requests "
        f"({requests / tables:.2f} a table)   {seconds:7.1f} s   {cpu:7.1f} s CPU   {cpu / tables * 1000:.2f} ms CPU a table   "
        f"peak {usage.ru_maxrss / 1024:,.0f} MiB   snapshot {size / 2**20:.1f} MiB   {said.splitlines()[0]}",
        flush=True,
    )


def main() -> None:
    """Print a line for each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, default=20_000, help="tables at the large end")
    parser.add_argument("--warehouse", action="store_true", help="only with a SQL warehouse; otherwise without and with one")
    arguments = parser.parse_args()
    for warehouse in (True,) if arguments.warehouse else (False, True):
        for tables in (arguments.tables // 4, arguments.tables // 2, arguments.tables):
            measure(tables, warehouse=warehouse)


if __name__ == "__main__":
    main()
