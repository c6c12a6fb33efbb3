"""Who wrote a change and who approved it: an approval counts where it is surely somebody else's."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, NamedTuple

from lakewarden.errors import SourceError
from lakewarden.sources.platform.wire.errors import Failed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: The time of what has none yet: it is the newest.
LAST = "9999-12-30T00:00:00Z"
_NOREPLY = re.compile(r"(?:\d+[+-])?(?P<name>[^@+]+)@users\.noreply\.[\w.-]+", re.IGNORECASE)
_TOGETHER = re.compile(r"^co-authored-by:[^<\n]*<(?P<address>[^<>\s]+)>\s*$", re.IGNORECASE | re.MULTILINE)
_TIME = re.compile(r"(?P<second>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(?P<part>\d+))?(?P<zone>Z|[+-]\d\d:\d\d)?")
#: Addresses of programs, which no account of a person has.
_NOBODY = re.compile(r"(?:no-?reply|donotreply)@.*|.*\[bot\]@.*", re.IGNORECASE)


class Authors(NamedTuple):
    """Who wrote a change: accounts, and addresses of which no account is known. All in lower case."""

    accounts: frozenset[str]
    addresses: frozenset[str] = frozenset()


class Approvals(NamedTuple):
    """Who approved the last commit of a change in time, and who may have."""

    sure: frozenset[str]
    doubtful: frozenset[str] = frozenset()


def by_other(approvals: Approvals, authors: Authors) -> bool | None:
    """Has somebody approved who wrote none of it?

    An address without an account is that of one person, who may be among those who approved.
    """
    others = approvals.sure - authors.accounts
    if len(others) > len(authors.addresses):
        return True
    return None if others or approvals.doubtful - authors.accounts else False


def why_unsure(what: str, approvals: Approvals, authors: Authors) -> SourceError:
    """Why it is not known whether somebody else approved, and what would tell it."""
    if approvals.sure - authors.accounts:
        named = ", ".join(sorted(authors.addresses)[:3])
        reason = f"{what} has commits of {named}, which no account is known for: who approved may have written them"
        return SourceError("unresolved", reason, "add the address to the account on the Git host, or let one more person approve")
    named = ", ".join(sorted(approvals.doubtful)[:3])
    reason = f"{what} was approved by {named}, and whether that was its last commit, and by somebody who may write, is not told"
    return SourceError("unresolved", reason, "give a token that may read members of the repository, and approve the last commit")


def account_in(address: str) -> str | None:
    """The account that an address of the Git host itself names."""
    found = _NOREPLY.fullmatch(address)
    return found["name"].lower() if found else None


def co_authors(message: str) -> Iterator[str]:
    """The addresses of people that the message of a commit names as its authors too."""
    for found in _TOGETHER.finditer(message):
        address = found["address"].lower()
        if account_in(address) or not _NOBODY.fullmatch(address):
            yield address


def settled(accounts: Iterable[str], addresses: Iterable[str], known: dict[str, str]) -> Authors:
    """Authors, with the accounts of the addresses that are known or name one."""
    found, left = {one.lower() for one in accounts}, set[str]()
    for address in addresses:
        account = known.get(address) or account_in(address)
        if account is None:
            left.add(address)
        else:
            found.add(account.lower())
    return Authors(frozenset(found), frozenset(left))


def moment(text: str, what: str) -> str:
    """A time in UTC to the microsecond, so that two of them can be compared as texts. Raises Failed for what is none."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise Failed(f"{what}: {text or 'nothing'} is no time", "run again; report it if it stays so")
    zone = "+00:00" if found["zone"] in (None, "Z") else found["zone"]
    time = dt.datetime.fromisoformat(f"{found['second']}.{(found['part'] or '0')[:6]:0<6}{zone}")
    return time.astimezone(dt.timezone.utc).isoformat(timespec="microseconds")


def text_of(row: object, *names: str) -> str:
    """The text that stands in an object under these names, one in the other; empty where there is none."""
    for name in names:
        row = row.get(name) if isinstance(row, dict) else None
    return row if isinstance(row, str) else ""


def needed(row: object, about: str, *names: str) -> str:
    """A text that an answer must have."""
    found = text_of(row, *names)
    if not found:
        raise Failed(f"{about}: the answer lacks `{'.'.join(names)}`", "run again; report it if it stays so")
    return found
