"""Builds the site of the documentation: `python docs/build_site.py FOLDER`. Warnings are errors; a link to nothing is one.

Pages link to files of the checkout as they do on a Git host. On the site such a link leads to REPOSITORY.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
REPOSITORY = os.environ.get("REPOSITORY", "https://github.com/OWNER/lakewarden/blob/main")
_OUTSIDE = re.compile(r"\]\((?:\.\./)+((?:README|CHANGELOG|CONTRIBUTING|SECURITY)\.md|examples)(?=[/#)])")


def main() -> None:
    """Copy the pages and build the site below the folder, as `site`."""
    folder = Path(sys.argv[1])
    shutil.copytree(CHECKOUT / "docs", folder / "docs", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for page in (folder / "docs").rglob("*.md"):
        text = page.read_text(encoding="utf-8")
        page.write_text(_OUTSIDE.sub(rf"]({REPOSITORY}/\1", text), encoding="utf-8")
    (folder / "zensical.toml").write_text('[project]\nsite_name = "Lakewarden"\n', encoding="utf-8")
    sys.exit(subprocess.run(["zensical", "build", "--strict"], cwd=folder, check=False).returncode)  # noqa: S607


if __name__ == "__main__":
    main()
