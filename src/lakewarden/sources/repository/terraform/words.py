"""What names the stage and the workspace of a root module."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lakewarden.policy.names import stage_by_words
from lakewarden.sources.repository.bundle.places import host_problem, normal_host
from lakewarden.sources.repository.terraform.values import Unknown, Value, to_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lakewarden.facts.origin import Origin
    from lakewarden.sources.repository.terraform.root import Root

NONE = "none"
_SPLIT = re.compile(r"[^a-z0-9]+")
_EVERYDAY = frozenset({"test", "testing", "tst", "ci", "acc", "acceptance", "stage", "develop", "devel"})
#: Variables and locals that say which stage is meant.
STAGE_NAMES = (
    "environment", "env", "stage", "env_name", "environment_name", "env_type", "environment_type", "deployment_environment",
    "deploy_env", "target_env", "target_environment", "tier",
)  # fmt: skip
#: The providers whose resources facts are made of.
PREFIXES = ("databricks_", "github_", "gitlab_", "azuredevops_")


def speaks(name: str) -> bool:
    """Does a name tell exactly one stage? Everyday words do so only by themselves: `test` does, `test_network` does not."""
    words = [word.rstrip("0123456789") or word for word in _SPLIT.split(name.casefold()) if word]
    if len(words) > 1:
        name = " ".join(word for word in words if word not in _EVERYDAY)
    return stage_by_words(name, target=len(words) == 1).stage not in (None, NONE)


def name_of(label: str, variables: Mapping[str, str | None], folder: str) -> tuple[str | None, Unknown | None]:
    """What names the stage: a label, a variable, else the nearest folder that names one. Two that disagree name none.

    `variables` holds the values of variables and locals, those that are known.
    """
    spoken = [label] if label and speaks(label) else []
    spoken += [text for name in STAGE_NAMES if (text := variables.get(name)) is not None and speaks(text)]
    around = next((part for part in reversed(folder.split("/")) if speaks(part)), None)
    if around is not None and not label:
        spoken.append(around)
    if len({stage_by_words(word, target=True).stage for word in spoken}) > 1:
        told = " and ".join(dict.fromkeys(spoken))
        return None, Unknown(f"{told} name different stages", "claim its workspace in an environment of the policy")
    return (spoken[0] if spoken else around or NONE), None


def host_of(root: Root, value: Value, origin: Origin) -> str | None:
    """The workspace of a provider; a provider of the account has none."""
    if value is None:
        return NONE
    text = to_text(value)
    if text is None:
        root.gap("terraform_roots", value if isinstance(value, Unknown) else Unknown("host is no text"), origin)
        return None
    if "://accounts." in text or not text.strip():
        return NONE
    problem = host_problem(text)
    if problem is not None:
        root.gap("terraform_roots", Unknown(problem, "write the workspace's URL"), origin)
        return None
    return normal_host(text)
