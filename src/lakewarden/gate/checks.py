"""The twenty checks, in the order of the chain. A check names rules and adds nothing of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.gate.result import LEVELS, Kind, Level
from lakewarden.rule import Profile, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lakewarden.rule import Rule


class Check(NamedTuple):
    """One check: the rules that decide it, the lowest level that demands it, and what to do where its evidence is missing.
    `evidence` names the columns of fact tables that it stands on. Its waivers are heeded unless `waivable` is False. `unasked` is what
    to do where by the policy its rules are about nothing, which is no pass.
    """

    number: int
    name: str
    title: str
    level: Level
    rules: tuple[str, ...]
    evidence: tuple[tuple[str, str], ...]
    supply: str
    waivable: bool = True
    unasked: str = ""


#: The rule that a check of the whole production asks is every core rule of an audit whose violation is an error.
ALL_CORE = "core"

CHECKS = (
    Check(
        1, "REQUEST", "request and policy are well formed", "identity", ("GATE001",),
        (("candidates", "wanted_stage"), ("candidates", "policy_released")),
        "keep lakewarden.toml on the release branch, and let the gate read that branch",
    ),
    Check(
        2, "IDENTITY_PINNED", "the version is ready, and its bytes are known by their digest", "identity", ("GATE002",),
        (("model_versions", "status"), ("artifacts", "digest")),
        "grant EXECUTE on the model, so that its files can be read", waivable=False,
    ),
    Check(
        3, "PLACE", "the gate runs where it should", "identity", ("GATE003",),
        (("gate_places", "place"), ("gate_places", "on_release_ref")),
        "run it in CI on the release branch, from a full clone",
    ),
    Check(
        4, "TRAINED_IN_STAGE", "its run ended well, in production; it is no copy", "identity", ("DEP002", "GATE004", "GATE022"),
        (("model_versions", "run_workspace"), ("model_versions", "copied_from"), ("runs", "status")),
        "let the identity that registers versions read the run, and give its workspace with --workspace",
    ),
    Check(
        5, "OWN_BYTES", "the bytes belong to that run and model", "identity", ("GATE005",),
        (("artifacts", "same_run"), ("artifacts", "same_model"), ("artifacts", "same_digest")),
        "grant EXECUTE on the model and CAN_READ on the experiment", waivable=False,
    ),
    Check(
        6, "COMMIT_KNOWN", "exactly one commit, by evidence that is strong enough, from a clean tree", "lineage",
        ("TRK002", "GATE006"), (("run_commit", "commit"), ("run_commit", "agreed"), ("run_commit", "dirty")),
        "set MLFLOW_RUN_CONTEXT in the training job, with mlflow.source.git.commit and mlflow.source.git.dirty",
    ),
    Check(
        7, "COMMIT_RELEASED", "that commit is on the release branch of this repository", "lineage", ("DEP004",),
        (("branch_commits", "is_ancestor"),),
        "give a full clone with --repository (`fetch-depth: 0`), or a token of the Git host", waivable=False,
    ),
    Check(
        8, "REVIEWED", "the change was reviewed", "approved", ("GATE008",), (("commit_reviews", "approved_by_other"),),
        "give a token of the Git host that may read pull requests",
    ),
    Check(
        9, "COMMIT_CHECKED", "the required checks succeeded on that commit", "approved", ("GATE009",),
        (("commit_checks", "key"), ("commit_checks", "succeeded")),
        "name the checks under gate.required_checks, and give a token of the Git host that may read them",
    ),
    Check(
        10, "TRAINED_BY_JOB", "trained by a successful run of a deployed job, as a service principal", "lineage", ("DEP005",),
        (("job_runs", "run_type"), ("job_runs", "result_state"), ("job_runs", "run_as_kind"), ("job_runs", "managed_by")),
        "gate within 60 days of the training, or end the training job with `lakewarden capture`",
    ),
    Check(
        11, "INPUTS_RECORDED", "its training data is recorded with versions, and is production's", "validated",
        ("TRK004", "DEP006"), (("run_inputs", "catalog"), ("run_inputs", "versioned")),
        "log the training data with mlflow.log_input and its Delta version",
    ),
    Check(
        12, "FEATURES", "the feature tables that it looks up are production's and have keys", "validated", ("GATE012",),
        (("version_features", "table_catalog"), ("version_features", "has_key")),
        "grant the gate SELECT on the feature tables",
    ),
    Check(
        13, "DESCRIBED_BY_RUN", "parameters, metrics and a signature are there", "validated", ("TRK003", "TRK007"),
        (("runs", "param_count"), ("runs", "metric_count"), ("model_versions", "has_signature")),
        "log parameters and metrics in the run, and the model with input_example=",
    ),
    Check(
        14, "VALIDATED", "an enforced validation of this version, made after it, passed", "validated", ("GATE014",),
        (("validations", "enforced"), ("validations", "passed")),
        "let the validating task record its result on the version",
    ),
    Check(
        15, "COMPARED", "it was compared with what is live now", "validated", ("GATE015",),
        (("version_comparisons", "against_live"), ("version_comparisons", "not_worse")),
        "let the validation compare with the champion and record which version that was",
    ),
    Check(
        16, "APPROVED", "another person approved it, after its validation", "approved", ("GATE016", "REG008"),
        (("version_approvals", "independent"), ("version_approvals", "in_time")),
        "approve the deployment in the protected environment of CI",
        unasked='the policy says approval = "none", by which no version reaches level approved: write approval = "required"',
    ),
    Check(
        17, "PROMOTER", "the promoter may promote, and did nothing else", "approved",
        ("GATE017", "GATE018"), (("promoters", "identity"), ("promoters", "is_able"), ("promoters", "is_other")),
        "name the identity under identities.promote, and let it own the model",
    ),
    Check(
        18, "NO_OPEN_ERROR", "no core rule finds an error in what the version is made of", "approved", (ALL_CORE,), (),
        "collect the workspaces just before (`lakewarden collect -o estate.snap`), and give the gate the file with --snapshot",
    ),
    Check(
        19, "UNCHANGED", "nothing moved meanwhile", "identity", ("GATE019",), (("rereads", "unchanged"),),
        "run the gate again",
    ),
    Check(
        20, "RECORDED", "the decision is recorded before anything is done", "identity", ("GATE020",),
        (("decisions", "recorded"),), "let the gate write its attestation",
    ),
)  # fmt: skip


class Way(NamedTuple):
    """What a way out demands instead of a level: its checks, and the rules of those that it decides by others."""

    demands: frozenset[int]
    rules: Mapping[int, tuple[str, ...]] = {}


#: A rollback asks who promotes and for the bytes that were attested; an adoption only which bytes are live.
WAYS: Mapping[Kind, Way] = {
    "rollback": Way(frozenset({2, 5, 17, 19, 20}), {5: ("GATE021",), 17: ("GATE017",)}),
    "adoption": Way(frozenset({2, 20})),
}
#: What must hold before the glass may be broken: a version whose bytes cannot be named is promoted by nobody.
UNBREAKABLE = frozenset({2, 5})


def checks_of(kind: Kind) -> tuple[Check, ...]:
    """The checks, with the rules by which this kind of gate decides them."""
    other = WAYS[kind].rules if kind in WAYS else {}
    return tuple(check._replace(rules=other.get(check.number, check.rules)) for check in CHECKS)


def rules_of(check: Check, catalogue: Mapping[str, Rule]) -> tuple[Rule, ...]:
    """The rules of a check that exist; of a check that asks for all, the core rules whose violations are errors, apart from
    those that belong to another check.
    """
    if check.rules != (ALL_CORE,):
        return tuple(catalogue[code] for code in check.rules if code in catalogue)
    return tuple(rule for code, rule in catalogue.items() if code in core_rules(catalogue))


def core_rules(catalogue: Mapping[str, Rule]) -> frozenset[str]:
    """The codes of the core rules whose violations are errors, apart from those that belong to a check of their own."""
    named = {code for other in CHECKS for code in other.rules}
    return frozenset(rule.code for rule in catalogue.values() if _is_core_error(rule) and rule.code not in named)


def _is_core_error(rule: Rule) -> bool:
    own = rule.code.startswith(("LW", "GATE"))
    return not own and rule.profile is Profile.CORE and rule.severity is Severity.ERROR


def all_rules(catalogue: Mapping[str, Rule], kind: Kind = "promotion") -> tuple[Rule, ...]:
    """Every rule that some check names, once; for a way out, of the checks that it demands."""
    wanted = [check for check in checks_of(kind) if kind not in WAYS or check.number in WAYS[kind].demands]
    return tuple({rule.code: rule for check in wanted for rule in rules_of(check, catalogue)}.values())


def demanded(level: Level, kind: Kind = "promotion") -> frozenset[int]:
    """The numbers of the checks that a level demands, or a way out whatever the level."""
    if kind in WAYS:
        return WAYS[kind].demands
    upto = LEVELS.index(level)
    return frozenset(check.number for check in CHECKS if LEVELS.index(check.level) <= upto)


def reached(passed: Iterable[int]) -> Level | None:
    """The highest level all of whose checks are among those that passed; None where not even the first is."""
    there, found = set(passed), None
    for level in LEVELS:
        if not demanded(level) <= there:  # type: ignore[arg-type]  # one of LEVELS is a Level
            break
        found = level
    return found  # type: ignore[return-value]  # one of LEVELS is a Level
