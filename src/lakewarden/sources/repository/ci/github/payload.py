"""`github.event`: what each event tells, as far as it is known before a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.sources.repository.ci.github.values import Object, Unknown, Value, anything, unknown_at
from lakewarden.sources.repository.ci.workflow import DEFAULT_BRANCH

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Paths that say what is checked out.
COMMIT = "github.sha"
REPOSITORY = "github.repository"
HEAD_COMMIT = "github.event.pull_request.head.sha"
HEAD_BRANCH = "github.head_ref"
HEAD_REPOSITORY = "github.event.pull_request.head.repo.full_name"
RUN_COMMIT = "github.event.workflow_run.head_sha"
RUN_BRANCH = "github.event.workflow_run.head_branch"

_OF_PULL_REQUESTS = frozenset(
    {
        "action",
        "number",
        "pull_request",
        "label",
        "before",
        "after",
        "assignee",
        "requested_reviewer",
        "changes",
        "review",
        "comment",
    }
)
#: The parts that each event has; of another event these are null.
_PARTS: Mapping[str, frozenset[str]] = {
    "push": frozenset(
        {"ref", "before", "after", "created", "deleted", "forced", "compare", "commits", "head_commit", "pusher", "base_ref"}
    ),
    "workflow_dispatch": frozenset({"inputs", "ref", "workflow"}),
    "schedule": frozenset({"schedule", "workflow"}),
    "pull_request": _OF_PULL_REQUESTS,
    "pull_request_target": _OF_PULL_REQUESTS,
    "pull_request_review": _OF_PULL_REQUESTS,
    "pull_request_review_comment": _OF_PULL_REQUESTS,
    "workflow_run": frozenset({"action", "workflow_run", "workflow"}),
    "release": frozenset({"action", "release", "changes"}),
    "repository_dispatch": frozenset({"action", "client_payload", "branch"}),
    "issues": frozenset({"action", "issue", "label", "assignee", "changes"}),
    "issue_comment": frozenset({"action", "issue", "comment", "changes"}),
    "merge_group": frozenset({"action", "merge_group"}),
    "create": frozenset({"ref", "ref_type", "master_branch", "description", "pusher_type"}),
    "delete": frozenset({"ref", "ref_type", "pusher_type"}),
}
#: Events that always run on the default branch.
_ON_DEFAULT = frozenset({"schedule", "workflow_run", "repository_dispatch", "issues", "issue_comment", "delete"})
_ANY = frozenset[str]().union(*_PARTS.values())


def event_payload(name: str, ref: str, short: str, fields: Mapping[str, Value], default_branch: str | None) -> Object:
    """The payload of an event. `fields` are the parts of which more is known."""
    branch = short if name in _ON_DEFAULT else default_branch or DEFAULT_BRANCH
    items: dict[str, Value] = {"repository": Object({"default_branch": branch}, anything)}
    if name in _PARTS:
        items.update(dict.fromkeys(_ANY - _PARTS[name]))
    if name == "push":
        items["ref"] = ref
        items["after"] = unknown_at(COMMIT)
    elif name == "workflow_dispatch":
        items["ref"] = ref
    elif name == "release":
        items["release"] = Object({"tag_name": short}, anything)
    elif name == "workflow_run":
        items["workflow_run"] = Object({"head_sha": unknown_at(RUN_COMMIT), "head_branch": unknown_at(RUN_BRANCH)}, anything)
    items.update(fields)
    return Object(items, anything)


def pull_request(base: str, *, merged: bool) -> Object:
    """A pull request into a base."""
    head: dict[str, Value] = {
        "sha": unknown_at(HEAD_COMMIT),
        "ref": unknown_at(HEAD_BRANCH),
        "repo": Object({"full_name": unknown_at(HEAD_REPOSITORY)}, anything),
    }
    into: dict[str, Value] = {"ref": base or Unknown(truth=True)}
    return Object(
        {
            "merged": merged,
            "head": Object(head, anything),
            "base": Object(into, anything),
            "merge_commit_sha": unknown_at(COMMIT),
        },
        anything,
    )
