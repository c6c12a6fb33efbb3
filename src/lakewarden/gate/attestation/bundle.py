"""The evidence bundle: what was asked, every row that a check read, what each check said, by which tools. No data, no secrets.

Whoever has the bundle can judge the decision again. It is canonical JSON, so its SHA-256 stands in the signed summary.
"""

from __future__ import annotations

import platform
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING, Any

from lakewarden import __version__
from lakewarden.gate.attestation.canonical import LARGEST, canonical
from lakewarden.gate.unsaid import credentials
from lakewarden.sources.platform.wire.redact import REMOVED, is_secret, redact

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lakewarden.gate.result import CheckResult, GateResult
    from lakewarden.judge.result import Waiver

TYPE = "lakewarden-evidence/v1"

#: Parameters and tags whose values are kept: they name code, data and runs. Of all others the name alone is.
PARAMETERS = frozenset(
    {
        "bundle_target", "env", "environment", "git_branch", "git_commit", "git_source_info", "git_url", "mlflow.parentRunId",
        "mlflow.source.git.branch", "mlflow.source.git.commit", "mlflow.source.git.dirty", "mlflow.source.git.repoURL",
        "mlflow.source.name", "mlflow.source.type", "mlflow.user", "model_name", "model_version", "run_mode", "target",
    }
)  # fmt: skip
#: Tables whose column `value` is a name as it stands in code or configuration, not what a parameter was given.
_NAMES = frozenset({"code_calls", "code_literals", "config_refs"})
_LIBRARIES = ("databricks-sdk", "mlflow-skinny", "mlflow", "GitPython", "securesystemslib", "sigstore")
_LONGEST = 4_000


def bundle(result: GateResult, secrets: Iterable[str] = ()) -> bytes:
    """The evidence of a result. `secrets` are those that the run was given; whatever looks like one is removed too."""
    known = credentials(secrets)
    document = {
        "type": TYPE,
        "request": {
            "asked": result.asked,
            "environment": result.environment,
            "kind": result.kind,
            "level": result.level,
            "place": result.place,
            "project": result.project,
            "reason": result.reason,
            "registry": result.registry,
            "stage": result.stage,
            "ticket": result.ticket,
        },
        "subject": {"digest": result.digest, "model": result.model, "uri": result.uri, "version": result.number},
        "verdict": {
            "exit_code": result.exit_code,
            "first_promotion": result.first_promotion,
            "passed": result.passed,
            "reached": result.reached,
        },
        "policy": {"path": shown_path(result.policy_path), "sha256": result.policy_digest},
        "checks": [_check(check) for check in result.checks],
        "waivers": [{"check": check.code, **_waiver(check.waiver)} for check in result.checks if check.waiver is not None],
        "chain": [link._asdict() for link in result.chain],
        "gaps": list(result.gaps),
        "rows": [{"table": table, "row": _row(table, row)} for table, row in result.rows],
        "requests": result.requests,
        "times": {"begun": result.begun, "finished": result.finished},
        "tools": {"lakewarden": result.version, **tools()},
    }
    clean = _clean(document, known)
    clean["rows"].sort(key=canonical)
    return canonical(clean)


def shown_path(path: str | None) -> str | None:
    """A path without the folders of the machine that it is on."""
    if path is None:
        return None
    plain = path.replace("\\", "/")
    return plain.rpartition("/")[2] if plain.startswith(("/", "..")) or plain[1:2] == ":" else plain


def tools() -> dict[str, str]:
    """The versions of Python and of the libraries that read the evidence; only of those that are installed."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"lakewarden-writer": __version__, "python": platform.python_version()}
    for library in _LIBRARIES:
        with suppress(PackageNotFoundError):
            found[library] = version(library)
    return found


def _check(check: CheckResult) -> dict[str, Any]:
    return {
        "check": check.code,
        "name": check.name,
        "title": check.title,
        "level": check.level,
        "required": check.required,
        "outcome": check.outcome,
        "said": [said._asdict() for said in check.said],
        "evidence": [evidence._asdict() for evidence in check.evidence],
        "remedy": check.remedy,
    }


def _waiver(waiver: Waiver) -> dict[str, Any]:
    return {"kind": waiver.kind, "owner": waiver.owner, "reason": waiver.reason, "ticket": waiver.ticket, "until": waiver.until}


def _row(table: str, row: dict[str, object]) -> dict[str, object]:
    """A row without the values of parameters and tags that are not named above."""
    kept = dict(row)
    if isinstance(kept.get("value"), str) and table not in _NAMES and kept.get("name") not in PARAMETERS:
        kept["value"] = REMOVED
    return kept


def _clean(value: Any, known: frozenset[str], name: str = "") -> Any:
    """The value with text redacted, and all of it in types that have a canonical form."""
    if isinstance(value, Enum):
        return value.value
    if hasattr(value, "_asdict"):
        return _clean(value._asdict(), known)
    if isinstance(value, dict):
        return {redact(str(key), known, opaque=False): _clean(each, known, str(key)) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_clean(each, known, name) for each in (sorted(value, key=str) if isinstance(value, (set, frozenset)) else value)]
    if value is None or isinstance(value, bool) or (isinstance(value, int) and abs(value) <= LARGEST):
        return value
    text = str(value)
    if is_secret(name) and text:
        return REMOVED
    return redact(text.encode("utf-8", "replace").decode("utf-8"), known, opaque=False, longest=_LONGEST)
