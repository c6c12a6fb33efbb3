"""`lakewarden init`: write the policy that is derived from the repository, and from workspaces."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from lakewarden.cli.options import AuthProfile, Paths, split

_NAME_A_CATALOG = ("catalog", "table", "model", "model_uri")


def init(
    paths: Paths = None,
    workspace: Annotated[
        Optional[list[str]],  # noqa: UP045  (typer evaluates it on Python 3.10)
        typer.Option("--workspace", help="URL of a workspace to derive the policy from too; may be repeated.", metavar="URL"),
    ] = None,
    auth_profile: AuthProfile = None,
    baseline: Annotated[bool, typer.Option("--baseline", help="Also record today's findings as a baseline.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a policy file that is there.")] = False,
) -> None:
    """Write lakewarden.toml with what the names of targets, catalogs and branches say, to be corrected by you.

    With --workspace, what live workspaces show too: environments, catalogs, service principals that run jobs. Nothing is changed
    there. On a terminal it asks for the environment of a workspace, and the release branch, where nothing says them.
    """
    from lakewarden.cli import derive
    from lakewarden.cli.baseline import DEFAULT
    from lakewarden.cli.session import read
    from lakewarden.errors import UsageError
    from lakewarden.policy.attribute import environment_of_target, workspace_url
    from lakewarden.policy.load import find
    from lakewarden.policy.model import Policy
    from lakewarden.policy.write import Bundle, Target, rendered

    repository = read(paths or [], None)
    file = repository.root / "lakewarden.toml"
    present = find(repository.root, repository.root)
    if present is not None and present != file:
        raise UsageError(f"{present.name} holds a policy already", "change it by hand")
    if present is not None and not force:
        raise UsageError(f"{file.name} is there already", "change it by hand, or replace it with --force")
    rows = repository.facts.rows
    targets = [Target(t.__dict__["name"], t.project, t.__dict__.get("host")) for t in rows["targets"] if t.__dict__.get("name")]
    # Once one catalog is written names count no more, so those that only code names belong here too.
    named = [row.__dict__.get("catalog") for row in rows["target_catalogs"]]
    for table in ("config_refs", "code_literals"):
        named += [row.__dict__.get("named") for row in rows[table] if row.__dict__.get("kind") in _NAME_A_CATALOG]
    catalogs = sorted({name for name in named if name and name != "none"})
    branches = {b.__dict__["name"] for b in rows["branches"] if b.__dict__.get("name")}
    release = next((name for name in ("release", "main", "master") if name in branches), None)
    bundles = [Bundle(b.project, b.folder) for b in repository.layout.bundles]
    own = {
        name for row in rows["target_catalogs"] if row.__dict__.get("access") == "own" and (name := row.__dict__.get("catalog"))
    }
    seen = derive.Live({}, [], {}, [])
    if workspace:
        known: dict[str, set[str | None]] = {}
        for target in targets:
            stage = environment_of_target(Policy(), target.project, target.name).stage
            known.setdefault(workspace_url(target.host or ""), set()).add(stage)
        agreed = {host: one for host, of in known.items() if len(of) == 1 and (one := next(iter(of))) is not None}
        seen = derive.live(split(workspace), split(auth_profile), agreed)
    if release is None and derive.asking():
        release = derive.ask_release_branch()
    unseen = seen.unseen if release else ["which branch is deployed to production", *seen.unseen]
    text = rendered(
        targets, sorted({*catalogs, *seen.catalogs}), bundles, release, own, seen.principals, unseen, workspaces=seen.workspaces
    )
    if baseline:
        text = f'baseline = "{DEFAULT}"\n\n{text}'
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise UsageError(f"cannot write {file.name}: {problem.strerror}", "check the folder and its permissions") from None
    typer.echo(f"wrote {file.name}: read it and correct what is not so")
    if baseline:
        from lakewarden.cli.baseline import Action
        from lakewarden.cli.baseline import baseline as record

        record(Action.WRITE, paths=paths)
