"""What was attested before: the statements in a folder, each held against the trust of the policy, as facts about versions."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lakewarden.errors import SourceError
from lakewarden.facts.gaps import Cause
from lakewarden.facts.model.registry import Attestation
from lakewarden.facts.origin import Origin
from lakewarden.gate.attestation import statement as said
from lakewarden.gate.attestation.dsse import LARGEST
from lakewarden.gate.attestation.trust import trust_of
from lakewarden.gate.attestation.verify import Answer, Wanted, time_of, verify
from lakewarden.gate.result import LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lakewarden.facts.collect import Facts
    from lakewarden.gate.result import GateResult
    from lakewarden.policy.model import Policy

_DEPLOYED = "deployed"
#: What a statement is accepted with: what was waived had its waiver then, and a way out is told by its kind.
_ACCEPTED = frozenset({"rollback", "adoption", *(f"C{number}" for number in range(1, 20) if number not in said.UNWAIVABLE)})
_PROMOTION, _ROLLBACK, _ADOPTION, _BREAK_GLASS, _REFUSAL = "promotion", "rollback", "adoption", "break-glass", "refusal"


class Statement(NamedTuple):
    """One statement of a gate about a version: its URI, the digest that it is about, what it decided and when. `valid` is None
    where nobody could tell whose it is.
    """

    uri: str
    digest: str
    valid: bool | None
    passed: bool
    kind: str
    made: dt.datetime | None
    sha256: str
    file: str


class Archive(NamedTuple):
    """The statements of a folder; `problem` where it cannot be read to its end."""

    statements: tuple[Statement, ...] = ()
    problem: SourceError | None = None


def uri_of(version: str) -> str:
    """The name of a version in attestations, by its key: where its registry is, its model and its number."""
    head, _, number = version.rpartition("/")
    if "://" in version:
        return f"mlflow+{head}/versions/{number}"
    metastore, _, name = head.partition("/")
    return f"databricks-uc://{metastore}/{name}/versions/{number}"


def archive_of(folder: Path, policy: Policy, *, of_any_age: bool = False) -> Archive:
    """Read every statement of a folder. One that does not exist yet holds none. `of_any_age`: one that is too old for the policy
    today was not when it was used.

    Raises:
        UsageError: a key or a root of trust that the policy names cannot be read.
    """
    base = Path(policy.path).resolve().parent if policy.path is not None else Path()
    trust = trust_of((), policy.attestation, base)
    days = None if of_any_age else policy.attestation.max_age_days
    wanted = Wanted(
        policies=frozenset(one.lower() for one in policy.attestation.policies),
        accept=_ACCEPTED,
        max_age=None if days is None else dt.timedelta(days=days),
        allow_unsigned=policy.attestation.allow_unsigned,
    )
    now = dt.datetime.now(dt.timezone.utc)
    found: list[Statement] = []
    try:
        for file in sorted(folder.iterdir()) if folder.exists() else ():
            if file.suffix == ".json" and (".vsa." in file.name or ".svr." in file.name):
                with file.open("rb") as opened:
                    content = opened.read(LARGEST + 1)
                one = _statement(content, verify(content, trust, wanted, now), file.name)
                found += [] if one is None else [one]
    except OSError as problem:
        why = f"the attestations in {folder} cannot be read: {problem.strerror}"
        return Archive(tuple(found), SourceError(Cause.FAILED.value, why, "check the folder and its permissions"))
    return Archive(tuple(found))


def _statement(content: bytes, verified: Any, file: str) -> Statement | None:
    """What a statement says, and whether it may be believed; None for one that could not even be read as its own."""
    payload, answers = verified.statement, {step.name: step.answer for step in verified.steps}
    if payload is None or answers.get("subject") is Answer.REFUSED:
        return _unread(content, answers, file)
    subject, predicate = payload["subject"][0], payload["predicate"]
    summary = payload["predicateType"] == said.VSA
    told = predicate.get("verifiedLevels" if summary else "properties") or []
    passed = answers.get("decision") in (Answer.VERIFIED, Answer.SKIPPED)
    # Who made it, about what, by which policy and when must hold; what it decided is another question.
    checks = [answers.get(name) for name in ("signature", "type", "policy", *(("time",) if passed else ()))]
    valid: bool | None = not any(one in (Answer.REFUSED, None) for one in checks)
    if valid and Answer.UNKNOWN in checks:
        valid = None
    made = time_of(str(predicate.get("timeVerified" if summary else "timeCreated")))
    return Statement(
        str(subject.get("name")), str((subject.get("digest") or {}).get("sha256")), valid, passed, _kind(told, passed=passed),
        made, hashlib.sha256(content).hexdigest(), file,
    )  # fmt: skip


def _unread(content: bytes, answers: dict[str, Answer], file: str) -> Statement | None:
    """A statement that is not believed still says, unbelieved, of which version it is; a signature nobody could check is unknown."""
    from lakewarden.gate.attestation.canonical import NotCanonicalError, parsed
    from lakewarden.gate.attestation.dsse import NotAnEnvelopeError, opened

    try:
        payload = parsed(opened(content).payload)
        subject = payload["subject"][0]
        uri, digest = str(subject["name"]), str(subject["digest"]["sha256"])
        told = payload["predicate"].get("properties") or []
    except (NotAnEnvelopeError, NotCanonicalError, KeyError, IndexError, TypeError, AttributeError):
        return None
    valid = None if answers.get("signature") is Answer.UNKNOWN else False
    kind = _BREAK_GLASS if isinstance(told, list) and said.BREAK_GLASS in told else _REFUSAL
    passed = payload["predicate"].get("verificationResult") == said.PASSED
    return Statement(uri, digest, valid, passed, kind, None, hashlib.sha256(content).hexdigest(), file)


def _kind(told: Any, *, passed: bool) -> str:
    names = {one for one in told if isinstance(one, str)} if isinstance(told, list) else set[str]()
    if said.BREAK_GLASS in names:
        return _BREAK_GLASS
    if not passed:
        return _REFUSAL
    if said.ROLLBACK in names:
        return _ROLLBACK
    if said.ADOPTION in names:
        return _ADOPTION
    return _PROMOTION if not names.isdisjoint(said.LEVEL_PROPERTIES[level] for level in LEVELS) else _REFUSAL


def write_attestations(facts: Facts, archive: Archive) -> None:
    """Write what was attested of each version that was seen. Of a version whose files were read, the digest must be theirs."""
    digests = {row.key: row.__dict__.get("digest") for row in facts.rows["artifacts"]}
    candidates = {row.key for row in facts.rows["candidates"]}
    by_uri: dict[str, list[Statement]] = {}
    for one in archive.statements:
        by_uri.setdefault(one.uri, []).append(one)
    for version in facts.rows["model_versions"]:
        if version.plane != _DEPLOYED:
            continue
        of_version = by_uri.get(uri_of(version.key), [])
        with facts.listing("attestations", plane=_DEPLOYED, of=version.key, origin=version.origin):
            for one in {statement.sha256: statement for statement in of_version}.values():
                read = version.key in candidates
                facts.add(
                    Attestation(
                        key=f"{version.key}/{one.sha256}",
                        plane=_DEPLOYED,
                        origin=Origin(pointer=one.file),
                        version_key=version.key,
                        valid=_is_valid(one, digests.get(version.key), read=read),
                        result=said.PASSED if one.passed else said.FAILED,
                        kind=one.kind,
                        settled=_is_settled(one, of_version),
                    )
                )
            if archive.problem is not None:
                raise archive.problem


def _is_valid(one: Statement, digest: Any, *, read: bool) -> bool | None:
    """Is it valid, and about these bytes? Where they should have been read and were not, nobody can tell."""
    if not read or not one.valid:
        return one.valid
    return None if digest is None else one.digest == digest


def _is_settled(one: Statement, of_version: Iterable[Statement]) -> bool:
    if one.kind != _BREAK_GLASS:
        return True
    later = (other for other in of_version if other.kind == _PROMOTION and other.passed and other.valid)
    return any(one.made is not None and other.made is not None and other.made > one.made for other in later)


def tags_of(result: GateResult, path: Path, sha256: str) -> dict[str, str]:
    """The tags that a version gets: verdict, policy, and where its attestation is. They point to the proof and are none."""
    return {
        "lakewarden.gate": said.PASSED if said.passed(result) else said.FAILED,
        "lakewarden.policy_sha256": result.policy_digest or "",
        "lakewarden.attestation": path.as_posix() if not path.is_absolute() else path.name,
        "lakewarden.attestation_sha256": sha256,
    }
