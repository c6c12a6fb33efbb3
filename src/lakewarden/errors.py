"""What can go wrong, each kind with its exit code and an advice; caught in exactly one place, `lakewarden.cli.main`."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of every command, the same in every output format."""

    CLEAN = 0
    FINDINGS = 1
    USAGE = 2
    INCOMPLETE = 3
    NOTHING_CHECKED = 4


#: What the extras bring, by package; a command that imports one of them without it is told so, wherever the import stands.
EXTRAS = {
    **dict.fromkeys(("databricks", "mlflow", "git", "requests"), "live"),
    **dict.fromkeys(("securesystemslib", "sigstore", "cryptography"), "sign"),
}


class LakewardenError(Exception):
    """An error that the user can mend: one line that says what is wrong, one that says what to do next."""

    exit_code = ExitCode.USAGE

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice


class UsageError(LakewardenError):
    """The command line cannot be carried out as written."""


class PolicyError(LakewardenError):
    """A policy file cannot be read, or says something that means nothing."""


class MissingExtraError(LakewardenError):
    """A command needs a package of an extra that is not installed."""

    def __init__(self, command: str, package: str) -> None:
        super().__init__(
            f"`lakewarden {command}` needs {package}, which is not installed",
            f"run: pip install 'lakewarden[{EXTRAS.get(package.partition('.')[0], 'live')}]'",
        )


class RuleError(LakewardenError):
    """A rule breaks the contract: its metadata, its docstring or its query."""


class SourceError(Exception):
    """Something could not be read. Raised inside a listing it becomes a gap; it never ends a run.

    `cause` is a gap class of `lakewarden.facts.gaps`; `remedy` says what would let it be read.
    """

    def __init__(self, cause: str, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.cause = cause
        self.reason = reason
        self.remedy = remedy
