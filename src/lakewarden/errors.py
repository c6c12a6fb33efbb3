"""What can go wrong, each kind with its code, its exit code and an advice; caught in exactly one place, `lakewarden.cli.main`.

The docstring of a class with a code is its page: docs/errors/ and `lakewarden explain CODE` are made of it. A code is never
given to another kind.
"""

from __future__ import annotations

import inspect
from enum import IntEnum
from functools import cache


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
    code = ""

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice


class UsageError(LakewardenError):
    """The command line cannot be carried out as written.

    An option has a value that it cannot take, two options exclude each other, or a file, folder or revision that is named cannot
    be read or written. Nothing was judged, so nothing is told to be clean.

    The second line of the message says what to write instead. `lakewarden COMMAND --help` lists the options of a command.
    """

    code = "E001"


class PolicyError(LakewardenError):
    """A policy file cannot be read, or says something that means nothing.

    The message names the file and the key. An unknown key is an error too: a misspelt one would otherwise loosen the policy
    without anybody noticing.

    docs/policy.md lists every key. `lakewarden lint --show-policy` prints the policy in force, each value with the file that
    set it.
    """

    code = "E002"


class MissingExtraError(LakewardenError):
    """A command needs a package of an extra that is not installed.

    `lint` needs nothing beyond what is installed with Lakewarden. Commands that ask workspaces need the extra `live`,
    a history in a Delta table the extra `delta`, signatures the extra `sign`.

    Install the extra that the second line of the message names, in the environment that Lakewarden runs in.
    """

    code = "E003"

    def __init__(self, command: str, package: str) -> None:
        super().__init__(
            f"`lakewarden {command}` needs {package}, which is not installed",
            f"run: pip install 'lakewarden[{EXTRAS.get(package.partition('.')[0], 'live')}]'",
        )


class RuleError(LakewardenError):
    """A rule breaks the contract: its metadata, its docstring or its query.

    It is a rule that the policy adds by `own_rules` or `rule_packages`. A query that could call something a pass that was not
    seen is refused before anything is judged.

    docs/own-rules.md says what a query may do, and how to test one.
    """

    code = "E004"


class SnapshotError(UsageError):
    """A snapshot is missing, damaged, or of a version that this Lakewarden does not read.

    What cannot be read to its end proves nothing, so no part of it is judged.

    Judge the file with the Lakewarden that wrote it, or collect it again: `lakewarden collect -o FILE`.
    """

    code = "E005"


class LoginError(UsageError):
    """No login to a workspace is configured, it failed, or several contradict each other.

    Lakewarden logs in as the Databricks CLI and SDK do: by environment variables such as DATABRICKS_TOKEN, or by a profile of
    `~/.databrickscfg`, which `--auth-profile` names.

    `databricks auth describe` tells which login is used. Tokens are sent to the host of their workspace only, and are never
    written to a report, a snapshot or a log.
    """

    code = "E006"


class ServerAddressError(UsageError):
    """The address of a server cannot be used: it is none, or a secret could be read on the way to it.

    Secrets go through https only, except to this machine, and never stand in an address, because addresses are printed.

    Write the address as `https://host`, and give user and password, or a token, by the environment.
    """

    code = "E007"


class SigningError(LakewardenError):
    """Something was not signed or not stored, though it could be: a service refused or did not answer.

    The exit code is 3, not 2: what was decided before stands, and was told, but there is no attestation of it.

    Run the command again when the service answers. `--timeout` bounds how long is waited.
    """

    code = "E008"
    exit_code = ExitCode.INCOMPLETE


class SourceError(Exception):
    """Something could not be read. Raised inside a listing it becomes a gap; it never ends a run.

    `cause` is a gap class of `lakewarden.facts.gaps`; `remedy` says what would let it be read.
    """

    def __init__(self, cause: str, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.cause = cause
        self.reason = reason
        self.remedy = remedy


@cache
def coded() -> dict[str, type[LakewardenError]]:
    """Every kind of error that has a code, by its code."""
    found: dict[str, type[LakewardenError]] = {}
    waiting = [LakewardenError]
    while waiting:
        one = waiting.pop()
        waiting += one.__subclasses__()
        if "code" in vars(one) and one.code:
            if one.code in found:
                raise RuleError(f"two kinds of error have the code {one.code}")
            found[one.code] = one
    return dict(sorted(found.items()))


def page_of(kind: type[LakewardenError]) -> tuple[str, str]:
    """The title of an error's page, and its text in Markdown."""
    title, _, text = inspect.cleandoc(kind.__doc__ or "").partition("\n\n")
    return title, text
