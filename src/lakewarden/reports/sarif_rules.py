"""Rules as SARIF describes them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lakewarden.reports.escape import clean, clean_lines
from lakewarden.rule import Confidence, Rule

if TYPE_CHECKING:
    from lakewarden.rule import RuleDoc

_TAGS = {
    "ENV": "environments",
    "GIT": "version-control",
    "DAT": "lakehouse",
    "TRK": "tracking",
    "REG": "registry",
    "DEP": "deploy-code",
    "LW": "program",
}
_PRECISION = {Confidence.HIGH: "high", Confidence.MEDIUM: "medium", Confidence.ADVISORY: "low"}


def descriptor(rule: Rule, doc: RuleDoc | None) -> dict[str, Any]:
    """A rule with its documentation; `precision` and `problem.severity` are what code scanning sorts by."""
    described: dict[str, Any] = {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": _said(doc.title if doc else rule.name),
        "fullDescription": _said(" ".join(doc.why.split()) if doc else rule.name),
        "defaultConfiguration": {"level": rule.severity.value},
        "properties": {
            "confidence": rule.confidence.value,
            "profile": rule.profile.value,
            "status": rule.status.value,
            "revision": rule.revision,
            "tags": ["databricks", "mlops", *filter(None, [_TAGS.get(rule.code.rstrip("0123456789"))])],
            "precision": _PRECISION[rule.confidence],
            "problem.severity": {"note": "recommendation"}.get(rule.severity.value, rule.severity.value),
        },
    }
    text = f"lakewarden explain {rule.code}"
    described["help"] = _help(doc) if doc else {"text": text, "markdown": f"`{text}`"}
    return described


def _help(doc: RuleDoc) -> dict[str, str]:
    links = "\n".join(f"- {reference}" for reference in doc.references)
    said = {"Why": doc.why, "Fix": doc.fix, "Exceptions": doc.exceptions, "References": links}
    sections = {name: body for name, body in said.items() if body}
    text = "\n\n".join([doc.title, *(f"{name}:\n{body}" for name, body in sections.items())])
    markdown = "\n\n".join([f"# {doc.title}", *(f"## {name}\n\n{body}" for name, body in sections.items())])
    return {"text": clean_lines(text), "markdown": clean_lines(markdown)}


def _said(text: str) -> dict[str, str]:
    text = clean(text)
    return {"text": text if text.endswith(".") else f"{text}."}


def message(text: str) -> dict[str, str]:
    """A message that SARIF shows as it is: `{0}` is no argument in it and `[a](b)` no link."""
    return {"text": re.sub(r"\{(\d+)\}", r"{{\1}}", clean(text)).replace("](", "] (")}
