"""Keys of objects in Unity Catalog begin with the id of their metastore, which people need only where there are several."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lakewarden.judge.result import Result

_ID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_KEY = re.compile(rf"({_ID})/")


def without_metastore(result: Result) -> tuple[Result, str]:
    """The result with keys as people know them, and the metastore that they are of; where there are several, or none, the result
    as it is.
    """
    told = [*(finding.subject for finding in result.findings), *(outcome.gap.parent or "" for outcome in result.gaps)]
    found = {match[1] for text in told if (match := _KEY.match(text)) is not None}
    if len(found) != 1:
        return result, ""
    metastore = found.pop()
    prefix = re.compile(rf"(?<![\w:.@/-]){metastore}/(?=\w)")

    def plain(text: str) -> str:
        return prefix.sub("", text)

    findings = tuple(replace(one, subject=plain(one.subject), message=plain(one.message)) for one in result.findings)
    gaps = tuple(
        replace(one, gap=one.gap._replace(reason=plain(one.gap.reason), parent=plain(one.gap.parent) if one.gap.parent else None))
        for one in result.gaps
    )
    shown = replace(result, findings=findings, gaps=gaps, incomplete=tuple(map(plain, result.incomplete)))
    return replace(shown, notes=tuple(map(plain, result.notes))), metastore
