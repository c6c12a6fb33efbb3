"""`pytest tests` in this folder: nothing of the history is lost on its way to the volume."""

import importlib.util
from pathlib import Path

_SPEC = importlib.util.spec_from_file_location("audit", Path(__file__).parents[1] / "src" / "audit.py")
audit = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(audit)


def test_what_is_new_is_put_back_and_what_is_kept_stays(tmp_path):
    work, kept = tmp_path / "work", tmp_path / "kept"
    for folder, text in ((work, "new"), (kept, "old")):
        (folder / "audits" / "_delta_log").mkdir(parents=True)
        (folder / "audits" / "_delta_log" / "0.json").write_text(text)
    (work / "audits" / "_delta_log" / "1.json").write_text("new")
    (work / "audits" / "1.parquet").write_text("new")
    audit.put_back(work, kept)
    found = {str(path.relative_to(kept)): path.read_text() for path in kept.rglob("*") if path.is_file()}
    assert found == {"audits/_delta_log/0.json": "old", "audits/_delta_log/1.json": "new", "audits/1.parquet": "new"}
