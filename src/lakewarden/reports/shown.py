"""What a run would do: the policy in force, with where each value comes from, and the files that are read or not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TextIO

from lakewarden.reports.dump import dump
from lakewarden.reports.escape import clean, log_line
from lakewarden.reports.page import many

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lakewarden.facts.collect import Skipped
    from lakewarden.policy.effective import Value

_DEFAULT, _COMMAND_LINE = "default", "command line"


def write_policy(values: Iterable[Value], given: Mapping[str, object], out: TextIO, *, as_json: bool) -> None:
    """Write each value with the file that wrote it; `given` are those of the command line, which count instead."""
    told = [(one.key, given.get(one.key, one.value), _COMMAND_LINE if one.key in given else one.file) for one in values]
    known = {key for key, *_ in told}
    told += [(key, value, _COMMAND_LINE) for key, value in given.items() if key not in known]
    if as_json:
        dump([{"key": clean(key), "value": value, "from": file or _DEFAULT} for key, value, file in told], out, levels=1)
        return
    out.writelines(
        log_line(f"{clean(key)} = {clean(json.dumps(value, ensure_ascii=False))}  # {clean(file or _DEFAULT)}") + "\n"
        for key, value, file in told
    )


def write_files(
    read: Sequence[str],
    wrong: tuple[Sequence[Skipped], Mapping[str, str]],
    others: int,
    streams: tuple[TextIO, TextIO],
    *,
    as_json: bool,
) -> None:
    """Write the files that are read, one on a line. To the second stream goes `wrong`: what is skipped, and which of the files
    that are read cannot be understood, with the reasons.
    """
    (skipped, failed), (out, beside) = wrong, streams
    if as_json:
        left = [{"path": clean(one.path), "kind": clean(one.kind), "reason": clean(one.reason)} for one in skipped]
        broken = [{"path": clean(path), "reason": clean(reason)} for path, reason in sorted(failed.items())]
        dump({"read": [clean(path) for path in read], "failed": broken, "skipped": left, "others": others}, out, levels=2)
        return
    out.writelines(log_line(clean(path)) + "\n" for path in read)
    out.flush()
    beside.writelines(f"skipped: {clean(one.path)}: {clean(one.kind)}: {clean(one.reason)}\n" for one in skipped)
    beside.writelines(f"not understood: {log_line(clean(_with_place(*one)))}\n" for one in sorted(failed.items()))
    understood = f"{len(failed):,} of which cannot be understood, " if failed else ""
    beside.write(
        f"{many(len(read), 'file')} read, {understood}{len(skipped):,} skipped; "
        f"{many(others, 'more file')} {'says' if others == 1 else 'say'} nothing that lakewarden reads\n"
    )


def _with_place(path: str, reason: str) -> str:
    return reason if reason.startswith(path) else f"{path}: {reason}"
