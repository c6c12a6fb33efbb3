"""Where the gate runs: by the variables of CI systems and of Databricks jobs, and the checkout that it runs in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

CI, JOB, TERMINAL = "ci", "deployment-job", "terminal"


class Place(NamedTuple):
    """Where a program runs: kind, the system, the ref that is built (full name; None where it is not told), whether it is for a
    pull request, and who started it.
    """

    kind: str
    system: str
    ref: str | None = None
    pull_request: bool | None = False
    actor: str | None = None


def place_of(environ: Mapping[str, str] | None = None) -> Place:
    """The place, by the variables that GitHub Actions, GitLab, Azure Pipelines and Databricks set (their documentation)."""
    variables = os.environ if environ is None else environ
    if variables.get("GITHUB_ACTIONS") == "true":
        event = variables.get("GITHUB_EVENT_NAME")
        return Place(
            CI,
            "GitHub Actions",
            variables.get("GITHUB_REF") or None,
            None if not event else event.startswith("pull_request") or event in ("issue_comment", "merge_group"),
            variables.get("GITHUB_ACTOR"),
        )
    if variables.get("GITLAB_CI") == "true":
        branch, tag = variables.get("CI_COMMIT_BRANCH"), variables.get("CI_COMMIT_TAG")
        ref = f"refs/heads/{branch}" if branch else f"refs/tags/{tag}" if tag else None
        merge = variables.get("CI_PIPELINE_SOURCE") in ("merge_request_event", "external_pull_request_event")
        return Place(CI, "GitLab CI", ref, merge, variables.get("GITLAB_USER_LOGIN"))
    if variables.get("TF_BUILD", "").lower() == "true":
        ref = variables.get("BUILD_SOURCEBRANCH") or None
        merge = variables.get("BUILD_REASON") == "PullRequest" or str(ref).startswith("refs/pull/")
        return Place(CI, "Azure Pipelines", ref, merge, variables.get("BUILD_REQUESTEDFOR"))
    if variables.get("DATABRICKS_RUNTIME_VERSION"):
        return Place(JOB, "Databricks")
    if variables.get("CI", "").lower() in ("1", "true"):
        return Place(CI, "CI", None, None)
    return Place(TERMINAL, "terminal")
