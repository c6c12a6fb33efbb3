"""The derived policy as a commented file, for `lakewarden init`: text out, nothing read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.policy.attribute import environment_of_catalog, environment_of_target, stage_of_name, workspace_url
from lakewarden.policy.globs import escaped
from lakewarden.policy.model import STAGES, Policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class Target(NamedTuple):
    """A target of a bundle, as far as the policy is concerned. `host` is a URL, `none`, or None where it is not known."""

    name: str
    project: str | None = None
    host: str | None = None


class Bundle(NamedTuple):
    """A bundle: its project's name and its folder relative to the root."""

    name: str
    folder: str
    owner: str | None = None


class _Found(NamedTuple):
    """What belongs to each stage, and what the policy cannot place."""

    targets: dict[str, list[str]]
    hosts: dict[str, list[str]]
    catalogs: dict[str, list[str]]
    loose_targets: list[str]
    shared_hosts: list[str]
    loose_catalogs: list[str]


def rendered(
    targets: Iterable[Target],
    catalogs: Iterable[str] = (),
    bundles: Iterable[Bundle] = (),
    release_branch: str | None = None,
    own_catalogs: Iterable[str] = (),
    principals: Mapping[str, Iterable[str]] | None = None,
    comments: Iterable[str] = (),
    workspaces: Mapping[str, str | None] | None = None,
) -> str:
    """Write down the policy that holds without a file; read again, it places the same targets and catalogs.

    What cannot be placed is a comment, never a guess. `own_catalogs` are those of `catalogs` that a target writes: each of
    them has to belong to an environment once catalogs are listed. `principals` are service principals by stage; `comments` tell
    what was not seen. `workspaces` are live ones with their stages; what targets say of them goes first.
    """
    found = _sorted(Policy(), list(targets), list(catalogs), frozenset(own_catalogs), workspaces or {})
    lines = [
        "# What is production here, and what is asked of it. Every key: docs/policy.md of Lakewarden.",
        "# This file was derived from names: read it, and correct what is wrong.",
        "",
        f"stages = {_list(STAGES)}",
        'profile = "recommended"',
    ]
    for stage in STAGES:
        acting = sorted(set((principals or {}).get(stage, ())))
        lines += ["", *_environment(stage, found, release_branch)]
        lines += [f"service_principals = {_list(escaped(one) for one in acting)}"] if acting else []
    if found.loose_targets:
        lines += [
            "",
            "# Targets whose names say no stage. Put each into targets above: until then it is a gap.",
            *_commented(found.loose_targets),
        ]
    if found.shared_hosts:
        lines += [
            "",
            "# Workspaces of more than one stage, or of a target without one: no environment claims them alone.",
            *_commented(found.shared_hosts),
        ]
    if found.loose_catalogs:
        lines += ["", "# Catalogs whose names say no stage, or two.", *_commented(found.loose_catalogs)]
    told = [one.encode("utf-8", "replace").decode() for one in comments]
    if told:
        lines += ["", "# Not seen:", *("#   " + "".join(c if c.isprintable() else "?" for c in one) for one in told)]
    projects: dict[str, list[Bundle]] = {}
    for bundle in bundles:
        projects.setdefault(bundle.name, []).append(bundle)
    for same in projects.values():
        lines += ["", *_project(same)]
    return "\n".join(lines) + "\n"


def _sorted(
    policy: Policy, targets: Sequence[Target], catalogs: Sequence[str], own: frozenset[str], live: Mapping[str, str | None]
) -> _Found:
    found = _Found({s: [] for s in STAGES}, {s: [] for s in STAGES}, {s: [] for s in STAGES}, [], [], [])
    stages_of_host: dict[str, set[str | None]] = {}
    for target in targets:
        stage = environment_of_target(policy, target.project, target.name).stage
        _add(found.loose_targets if stage is None else found.targets[stage], target.name)
        if target.host not in {None, "none"}:
            stages_of_host.setdefault(workspace_url(str(target.host)), set()).add(stage)
    for url, stage in live.items():
        stages_of_host.setdefault(workspace_url(url), {stage})
    for host, stages in stages_of_host.items():
        only = next(iter(stages)) if len(stages) == 1 else None
        _add(found.shared_hosts if only is None else found.hosts[only], host)
    for catalog in catalogs:
        stage = environment_of_catalog(policy, catalog).stage
        if stage in found.catalogs:
            _add(found.catalogs[stage], catalog)
        elif stage is None and (catalog in own or stage_of_name(policy, catalog) is None):
            _add(found.loose_catalogs, catalog)
    return found


def _add(names: list[str], name: str) -> None:
    if name.casefold() not in {known.casefold() for known in names}:
        names.append(name)


def _environment(stage: str, found: _Found, release_branch: str | None) -> list[str]:
    lines = [f"[environments.{stage}]", f"targets = {_list(escaped(name) for name in found.targets[stage])}"]
    if not found.targets[stage]:
        lines.insert(0, f"# No target names {stage}.")
    # a template's placeholder, as https://<workspace>.azuredatabricks.net, is no workspace
    hosts = [escaped(host) for host in found.hosts[stage] if host.startswith("https://") and not {"<", "{"} & set(host)]
    if hosts:
        lines.append(f"workspaces = {_list(hosts)}")
    if found.catalogs[stage]:
        # once one catalog is written, names count no more: wait until all of them can be placed
        comment = "# " if found.loose_catalogs else ""
        lines.append(f"{comment}catalogs = {_list(escaped(name) for name in found.catalogs[stage])}")
    if stage == "production":
        branch = release_branch or "release"
        lines.append(f"{'' if release_branch else '# '}branches = {_list([escaped(branch)])}")
    return lines


def _project(bundles: Sequence[Bundle]) -> list[str]:
    """One project; bundles of the same name are one."""
    owner = next((bundle.owner for bundle in bundles if bundle.owner), None)
    folders = [bundle.folder.strip("/") for bundle in bundles]
    return [
        "[[projects]]",
        f"name = {_string(bundles[0].name)}",
        f"owner = {_string(owner)}" if owner else '# owner = "the team that answers for it"',
        f"bundles = {_list('.' if folder in {'', '.'} else f'/{escaped(folder)}' for folder in folders)}",
    ]


def _commented(names: Iterable[str]) -> list[str]:
    return [f"#   {_string(name)}" for name in names]


def _list(values: Iterable[str]) -> str:
    return f"[{', '.join(_string(value) for value in values)}]"


def _string(value: str) -> str:
    """Return a basic string of TOML on one line."""
    plain = value.encode("utf-8", "replace").decode().replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in plain) + '"'
