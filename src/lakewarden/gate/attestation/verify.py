"""What a consumer asks of an attestation before it uses a version, in one order; the first no ends it.

Nothing of the payload is read before its signature was verified.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from lakewarden.errors import ExitCode, SigningError
from lakewarden.gate.attestation import statement as said
from lakewarden.gate.attestation.canonical import NotCanonicalError, parsed
from lakewarden.gate.attestation.dsse import NotAnEnvelopeError, opened
from lakewarden.gate.attestation.trust import Trust, signer_of
from lakewarden.gate.result import LEVELS

if TYPE_CHECKING:
    from collections.abc import Callable

    from lakewarden.gate.attestation.dsse import Envelope

_SKEW = dt.timedelta(minutes=5)
_WAIVED = re.compile(r"LAKEWARDEN_C(\d\d)_WAIVED")
_KINDS = {"rollback": said.ROLLBACK, "adoption": said.ADOPTION}


class Answer(str, Enum):
    """What became of one question."""

    VERIFIED = "verified"
    REFUSED = "refused"
    UNKNOWN = "not checked"
    SKIPPED = "not asked"


_Told = tuple[Answer, str]


class Step(NamedTuple):
    """One question, its answer, and what it stands on."""

    name: str
    answer: Answer
    told: str


@dataclass(frozen=True)
class Wanted:
    """What the consumer is about to use, and what it accepts. None where it does not say.

    `model` is a URI as the statement names its subject, `models:/NAME/N` or `NAME/N`; `digest` the SHA-256 of the version's files.
    `accept` holds `rollback`, `adoption` and waived checks. `file_sha256` and `evidence_sha256` are those of the files.
    """

    model: str | None = None
    digest: str | None = None
    file_sha256: str | None = None
    evidence_sha256: str | None = None
    policies: frozenset[str] = frozenset()
    level: str | None = None
    properties: tuple[str, ...] = ()
    accept: frozenset[str] = frozenset()
    max_age: dt.timedelta | None = None
    not_before: dt.datetime | None = None
    allow_unsigned: bool = False


@dataclass(frozen=True)
class Verified:
    """The questions that were asked, in order. `statement` is there where the payload was read."""

    steps: tuple[Step, ...]
    statement: dict[str, Any] | None = field(default=None, compare=False)

    @property
    def exit_code(self) -> ExitCode:
        """Refused before not checked; only what was asked and verified is clean."""
        answers = {step.answer for step in self.steps}
        if Answer.REFUSED in answers:
            return ExitCode.FINDINGS
        return ExitCode.INCOMPLETE if Answer.UNKNOWN in answers or not self.steps else ExitCode.CLEAN


class _Refused(Exception):  # noqa: N818  (an answer, not an error)
    """The attestation does not say what the consumer wants."""


def _no(why: str) -> NoReturn:
    raise _Refused(why)


def verify(content: bytes, trust: Trust, wanted: Wanted, now: dt.datetime) -> Verified:
    """Ask everything of the bytes of an attestation.

    Raises:
        UsageError: the root of trust of a Sigstore instance cannot be used.
    """
    steps: list[Step] = []
    for name, question in (
        ("file", partial(_file, content, wanted)),
        ("signature", partial(_signature, content, trust, wanted)),
        ("type", partial(_type, content)),
    ):
        steps.append(_asked(name, question))
        if steps[-1].answer in {Answer.REFUSED, Answer.UNKNOWN}:
            return Verified(tuple(steps))
    statement = _statement(opened(content))
    for name, question in (
        ("subject", partial(_subject, statement, wanted)),
        ("bytes", partial(_bytes, statement, wanted)),
        ("policy", partial(_policy, statement, wanted)),
        ("evidence", partial(_evidence, statement, wanted)),
        ("decision", partial(_decision, statement, wanted)),
        ("time", partial(_time, statement, wanted, now)),
    ):
        steps.append(_asked(name, question))
        if steps[-1].answer is Answer.REFUSED:
            break
    return Verified(tuple(steps), statement)


def _asked(name: str, question: Callable[[], _Told]) -> Step:
    try:
        return Step(name, *question())
    except (_Refused, NotAnEnvelopeError, NotCanonicalError) as refused:
        return Step(name, Answer.REFUSED, str(refused))
    except SigningError as problem:
        return Step(name, Answer.UNKNOWN, problem.message)


def _file(content: bytes, wanted: Wanted) -> _Told:
    if wanted.file_sha256 is None:
        return Answer.SKIPPED, "its SHA-256 was not given"
    found = hashlib.sha256(content).hexdigest()
    if found != wanted.file_sha256.lower():
        _no(f"the file's SHA-256 is {found}, not {wanted.file_sha256}")
    return Answer.VERIFIED, found


def _signature(content: bytes, trust: Trust, wanted: Wanted) -> _Told:
    envelope = opened(content)
    if not envelope.signatures or not any(envelope.signatures):
        if not wanted.allow_unsigned:
            _no("it is not signed: nothing says who made it")
        return Answer.SKIPPED, "it is not signed, and that is allowed: anybody may have made it"
    if not trust:
        if not wanted.allow_unsigned:
            return Answer.UNKNOWN, "nobody is trusted: name a key or a policy"
        return Answer.SKIPPED, "its signatures were not looked at, and that is allowed: anybody may have made it"
    signer = signer_of(envelope, trust)
    if signer is None:
        _no("no signature is by somebody who is trusted, or what was signed was changed")
    return Answer.VERIFIED, f"by {signer}"


def _type(content: bytes) -> _Told:
    return Answer.VERIFIED, str(_statement(opened(content))["predicateType"])


def _statement(envelope: Envelope) -> dict[str, Any]:
    if envelope.payload_type != said.PAYLOAD:
        _no(f"its payload is {envelope.payload_type[:80]!r}, no in-toto statement")
    found = parsed(envelope.payload)
    if not isinstance(found, dict) or found.get("_type") != said.STATEMENT:
        _no("its payload is no in-toto Statement v1")
    if found.get("predicateType") not in (said.SVR, said.VSA):
        _no(f"its predicate is {str(found.get('predicateType'))[:80]!r}, neither SVR v0.2 nor SLSA VSA v1")
    predicate = found.get("predicate")
    verifier = predicate.get("verifier") if isinstance(predicate, dict) else None
    if not isinstance(verifier, dict) or verifier.get("id") != said.VERIFIER:
        _no(f"its verifier is not {said.VERIFIER}")
    return found


def _subject(statement: dict[str, Any], wanted: Wanted) -> _Told:
    subjects = statement.get("subject")
    if not isinstance(subjects, list) or len(subjects) != 1 or not isinstance(subjects[0], dict):
        _no("it is about more than one thing, or none")
    name, digests = subjects[0].get("name"), subjects[0].get("digest")
    if not isinstance(name, str) or not isinstance(digests, dict) or set(digests) != {"sha256"}:
        _no("its subject has no name or not one SHA-256")
    if not re.fullmatch(r"[0-9a-f]{64}", str(digests["sha256"])):
        _no("the digest of its subject is no SHA-256")
    predicate = statement["predicate"]
    if statement["predicateType"] == said.VSA and predicate.get("resourceUri") != name:
        _no("its subject and its resource are not the same")
    if wanted.model is not None and not is_named(name, wanted.model):
        _no(f"it is about {name}, not {wanted.model}")
    if wanted.model is None and wanted.digest is None:
        return Answer.UNKNOWN, f"{name} was compared with nothing: name the version that is to be used, or its digest"
    return (
        (Answer.VERIFIED, name) if wanted.model is not None else (Answer.SKIPPED, f"{name}; no version was named that it must be")
    )


def _bytes(statement: dict[str, Any], wanted: Wanted) -> _Told:
    digest = statement["subject"][0]["digest"]["sha256"]
    if wanted.digest is None:
        return Answer.SKIPPED, f"{digest}; what is to be used was not compared with it"
    if digest != wanted.digest.lower():
        _no(f"it is about files of SHA-256 {digest}, not {wanted.digest}")
    return Answer.VERIFIED, digest


def is_named(name: str, wanted: str) -> bool:
    """Is the version that a statement names the wanted one? A short name leaves the metastore or the server open."""
    if name == wanted:
        return True
    model, slash, number = wanted.removeprefix("models:/").rpartition("/")
    if not slash or "://" in wanted or not number.isdecimal():
        return False
    path, versions, found = name.rpartition("/versions/")
    return bool(versions) and found == number and path.rpartition("/")[2] == model


def _policy(statement: dict[str, Any], wanted: Wanted) -> _Told:
    predicate = statement["predicate"]
    policies = [predicate.get("policy")] if statement["predicateType"] == said.VSA else predicate["verifier"].get("policies")
    if not isinstance(policies, list) or len(policies) != 1 or not isinstance(policies[0], dict):
        _no("it does not name one policy")
    digests = policies[0].get("digest")
    digest = digests.get("sha256") if isinstance(digests, dict) else None
    if not isinstance(digest, str):
        _no("its policy has no SHA-256")
    if not wanted.policies:
        return Answer.SKIPPED, f"judged by {digest}; no policy was named that it must be"
    if digest not in wanted.policies:
        _no(f"the version was judged by the policy {digest}, which is not accepted")
    return Answer.VERIFIED, digest


def _evidence(statement: dict[str, Any], wanted: Wanted) -> _Told:
    if wanted.evidence_sha256 is None:
        return Answer.SKIPPED, "no evidence was given"
    inputs = statement["predicate"].get("inputAttestations")
    if statement["predicateType"] != said.VSA or not isinstance(inputs, list):
        _no("it names no evidence; the verification summary does")
    digests = [each["digest"].get("sha256") for each in inputs if isinstance(each, dict) and isinstance(each.get("digest"), dict)]
    if wanted.evidence_sha256 not in digests:
        _no(f"the evidence is another: its SHA-256 is {wanted.evidence_sha256}")
    return Answer.VERIFIED, wanted.evidence_sha256


def _decision(statement: dict[str, Any], wanted: Wanted) -> _Told:
    predicate, summary = statement["predicate"], statement["predicateType"] == said.VSA
    found = predicate.get("verifiedLevels" if summary else "properties")
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        _no("it tells no properties")
    if summary and (predicate.get("verificationResult") != said.PASSED or said.FAILED in found):
        _no("the version was refused: its verification FAILED")
    if said.BREAK_GLASS in found:
        _no("the version was promoted by breaking the glass, against its checks")
    levels = [level for level in LEVELS if said.LEVEL_PROPERTIES[level] in found]
    kinds = [kind for kind, named in _KINDS.items() if named in found]
    if len(levels) + len(kinds) != 1:
        _no("it says of no level that the version reaches it" if not levels and not kinds else "it tells more than one decision")
    for named in found:
        if (waived := _WAIVED.fullmatch(named)) and (
            int(waived[1]) in said.UNWAIVABLE or f"C{int(waived[1])}" not in wanted.accept
        ):
            _no(f"check C{int(waived[1])} was waived, which is not accepted")
    _reached(levels, kinds, wanted)
    if missing := [named for named in wanted.properties if named not in found]:
        where = "; a verification summary does not list checks, the file *.svr.* does" if summary else ""
        _no(f"it does not say {missing[0]}{where}")
    return Answer.VERIFIED, ", ".join(found[:40])


def _reached(levels: list[str], kinds: list[str], wanted: Wanted) -> None:
    """Is the level reached that is wanted? A way out asks for less than any level does, whatever is accepted."""
    if kinds and kinds[0] not in wanted.accept:
        _no(f"it is a{'n' if kinds[0] == 'adoption' else ''} {kinds[0]}, which is not accepted")
    if kinds and wanted.level is not None:
        _no(
            f"it is a{'n' if kinds[0] == 'adoption' else ''} {kinds[0]}, which reaches no level: gate the version, or ask without --level"
        )
    if levels and wanted.level is not None and LEVELS.index(levels[0]) < LEVELS.index(wanted.level):
        _no(f"the version reaches {levels[0]}, not {wanted.level}")


def _time(statement: dict[str, Any], wanted: Wanted, now: dt.datetime) -> _Told:
    told = statement["predicate"].get("timeVerified" if statement["predicateType"] == said.VSA else "timeCreated")
    made = time_of(told) if isinstance(told, str) else None
    if made is None:
        _no("it does not tell when it was made")
    if made > now + _SKEW:
        _no(f"it was made in the future, {told}")
    if wanted.not_before is not None and made < wanted.not_before:
        _no(f"it was made {told}, before {wanted.not_before.isoformat()}")
    if wanted.max_age is not None and now - made > wanted.max_age:
        _no(f"it was made {told}, more than {wanted.max_age.days} days ago")
    return Answer.VERIFIED, f"made {told}"


def time_of(text: str) -> dt.datetime | None:
    """An ISO time with its zone; None where it is none."""
    try:
        found = dt.datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", text))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
