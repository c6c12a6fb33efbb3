"""Rules for branches of the Git host, as Terraform declares them for GitHub, GitLab and Azure DevOps."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.facts.model.version_control import Branch
from lakewarden.sources.repository.terraform.values import Unknown, to_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lakewarden.facts.origin import Origin
    from lakewarden.sources.repository.terraform.root import Item, Root
    from lakewarden.sources.repository.terraform.sections import Section

TYPES = (
    "github_branch_protection", "github_branch_protection_v3", "github_repository_ruleset", "gitlab_branch_protection",
    "azuredevops_branch_policy_min_reviewers", "azuredevops_branch_policy_build_validation",
)  # fmt: skip
_REPOSITORY = ("repository_id", "repository", "project")


class Rules(NamedTuple):
    """What one resource asks of the branches that a pattern names. What it says nothing of is at its weakest."""

    repository: str
    pattern: str | None
    approvals: int | None
    checks: int | None
    force_push: bool | None
    deletion: bool | None
    origin: Origin


def write_branches(root: Root) -> None:
    """Write a branch for each pattern of each repository; the strictest of several rules counts."""
    found: dict[tuple[str, str | None], list[Rules]] = {}
    for kind in TYPES:
        for item in root.of(kind):
            for rules in _READ[kind](root, item):
                found.setdefault((rules.repository, rules.pattern), []).append(rules)
    for (repository, pattern), rules_of in found.items():
        first = rules_of[0]
        root.facts.add(
            Branch(
                key=root.free("branches", f"{root.project}/{f'{repository}/' if repository else ''}{pattern or '?'}"),
                project=root.project,
                name=pattern,
                required_approvals=_most([rules.approvals for rules in rules_of]),
                required_checks=_most([rules.checks for rules in rules_of]),
                allows_force_push=_least([rules.force_push for rules in rules_of]),
                allows_deletion=_least([rules.deletion for rules in rules_of]),
                origin=first.origin,
            )
        )


def _most(numbers: list[int | None]) -> int | None:
    known = max((number for number in numbers if number is not None), default=0)
    return known if known > 0 or None not in numbers else None


def _least(flags: list[bool | None]) -> bool | None:
    """Something is allowed where every rule allows it."""
    return False if False in flags else None if None in flags else True


def _repository(root: Root, item: Item) -> str:
    for field in _REPOSITORY:
        value = item.section.value(field)
        made = root.item_of(value)
        text = to_text(made.section.value("name")) if made is not None else to_text(value)
        if text:
            return text
    return ""


def _count(root: Root, section: Section, name: str) -> int | None:
    value = section.value(name)
    if isinstance(value, Unknown):
        root.gap("branches", value, section.origin_of(name))
        return None
    return len(value) if isinstance(value, list) else 0


def _blocks(root: Root, section: Section, name: str) -> tuple[list[Section], bool]:
    """The blocks of one name, and whether these are all."""
    found, unknown = section.sections(name)
    if unknown is not None:
        root.gap("branches", unknown, section.origin)
    return found, unknown is None


def _approvals(root: Root, section: Section, name: str, default: int) -> int | None:
    """How many approvals a block asks for; none where there is no such block."""
    reviews, all_seen = _blocks(root, section, name)
    if not reviews:
        return 0 if all_seen else None
    return root.number(reviews[0], "required_approving_review_count", "branches", default)


def _protection(root: Root, item: Item) -> Iterator[Rules]:
    """A branch protection of GitHub."""
    section = item.section
    approvals = _approvals(root, section, "required_pull_request_reviews", 1)
    checks, all_seen = _blocks(root, section, "required_status_checks")
    names = [_count(root, block, field) for block in checks for field in ("contexts", "checks")] + ([] if all_seen else [None])
    v3 = item.type.endswith("_v3")
    yield Rules(
        _repository(root, item),
        root.text(section, "branch" if v3 else "pattern", "branches", None),
        approvals,
        None if None in names else sum(name or 0 for name in names),
        False if v3 else root.flag(section, "allows_force_pushes", "branches"),
        False if v3 else root.flag(section, "allows_deletions", "branches"),
        item.origin,
    )


def _ruleset(root: Root, item: Item) -> Iterator[Rules]:
    """A ruleset of GitHub, for each branch that it includes. One that is not enforced asks for nothing."""
    section = item.section
    enforced = root.text(section, "enforcement", "branches")
    if to_text(section.value("target")) in ("tag", "push") or enforced in ("disabled", "evaluate"):
        return
    rules = root.sections(section, "rules", "branches")
    if not rules:
        return
    inner = rules[0]
    approvals = _approvals(root, inner, "pull_request", 0)
    blocks, all_seen = _blocks(root, inner, "required_status_checks")
    further = [_blocks(root, block, "required_check") for block in blocks]
    checks = sum(len(found) for found, _ in further)
    keeps = root.flag(inner, "non_fast_forward", "branches")
    lasts = root.flag(inner, "deletion", "branches")
    if enforced is None:  # what it asks for, or nothing
        approvals, keeps, lasts = approvals and None, keeps and None, lasts and None
    known = enforced is not None and all_seen and all(seen for _, seen in further)
    for pattern in _included(root, section):
        yield Rules(
            _repository(root, item),
            pattern,
            approvals,
            checks if known or (enforced is not None and checks) else None,
            None if keeps is None else not keeps,
            None if lasts is None else not lasts,
            item.origin,
        )


def _included(root: Root, section: Section) -> Iterator[str | None]:
    for conditions in root.sections(section, "conditions", "branches"):
        for names in root.sections(conditions, "ref_name", "branches"):
            value = names.value("include")
            for one in value if isinstance(value, list) else [value]:
                text = to_text(one)
                if text is None or text == "~DEFAULT_BRANCH":
                    why = one if isinstance(one, Unknown) else Unknown("the default branch is named by the Git host")
                    root.gap("branches", why, names.origin_of("include"))
                    yield None
                else:
                    yield "*" if text == "~ALL" else text.removeprefix("refs/heads/")


def _gitlab(root: Root, item: Item) -> Iterator[Rules]:
    """A protected branch of GitLab. Approvals and pipelines are set for the project, elsewhere."""
    section = item.section
    root.gap("branches", Unknown("GitLab keeps approvals and checks with the project", "run `lakewarden audit`"), item.origin)
    yield Rules(
        _repository(root, item),
        root.text(section, "branch", "branches", None),
        None,
        None,
        root.flag(section, "allow_force_push", "branches"),
        False,
        item.origin,
    )


def _azure(root: Root, item: Item) -> Iterator[Rules]:
    """A branch policy of Azure DevOps. While one is enabled and blocks, changes come by pull request alone."""
    if not all(root.flag(item.section, field, "branches", absent=True) for field in ("enabled", "blocking")):
        return
    for settings in root.sections(item.section, "settings", "branches"):
        reviewers = item.type.endswith("min_reviewers")
        approvals = root.number(settings, "reviewer_count", "branches", 1) if reviewers else 0
        for scope in root.sections(settings, "scope", "branches"):
            made = root.item_of(scope.value("repository_id"))
            name = (to_text(made.section.value("name")) if made is not None else None) or to_text(scope.value("repository_id"))
            ref = root.text(scope, "repository_ref", "branches", None)
            pattern = None if ref is None else ref.removeprefix("refs/heads/")
            if to_text(scope.value("match_type")) == "Prefix" and pattern is not None:
                pattern = f"{pattern.rstrip('/')}/*"
            yield Rules(name or "", pattern, approvals, 0 if reviewers else 1, False, False, item.origin)


_READ = {
    "github_branch_protection": _protection,
    "github_branch_protection_v3": _protection,
    "github_repository_ruleset": _ruleset,
    "gitlab_branch_protection": _gitlab,
    "azuredevops_branch_policy_min_reviewers": _azure,
    "azuredevops_branch_policy_build_validation": _azure,
}
