"""The source of Terraform: every root module of a repository, with each set of variables that it is run with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakewarden.errors import SourceError
from lakewarden.facts.collect import Skipped
from lakewarden.facts.gaps import Cause, Gap
from lakewarden.facts.origin import Origin
from lakewarden.sources.repository.terraform.tables import ELSEWHERE, FILLS, OF_TYPES, of_type

if TYPE_CHECKING:
    from lakewarden.facts.collect import Facts
    from lakewarden.sources.repository.terraform.root import Root
    from lakewarden.sources.source import Context


#: Files of Terraform, and plans.
ENDINGS = (".tf", ".tofu", ".tf.json", "plan.json")


class TerraformSource:
    """Reads Terraform in HCL and JSON, and plans. Imports its parser only where there is something to read."""

    name = "terraform"
    plane = "declared"
    needs: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.fills: frozenset[str] = FILLS

    def read(self, context: Context, facts: Facts) -> None:
        """Write what all root modules make. Lists are complete but for what gaps say."""
        _tell_terragrunt(context, facts)
        if any(entry.path.endswith(ENDINGS) for entry in context.tree.files):
            runs = _plans(context, facts)
            runs += self._runs(context, facts, {run.folder for run in runs})
            if runs:
                self._write(facts, runs)
        with facts.listing(*sorted(FILLS)):
            pass

    def _runs(self, context: Context, facts: Facts, planned: set[str]) -> list[Root]:
        """Run every root module; a plan in its folder tells better what it makes."""
        from lakewarden.sources.repository.terraform.configuration import Configurations
        from lakewarden.sources.repository.terraform.run import run
        from lakewarden.sources.repository.terraform.setups import (
            VariableFiles,
            folders_of,
            is_for_tests,
            root_folders,
            setups_of,
        )
        from lakewarden.sources.yaml_nodes import place_of

        folders = folders_of(context.tree)
        roots = [folder for folder in root_folders(context.tree, folders) if folder not in planned]
        tests = [folder for folder in roots if is_for_tests(folder)]
        facts.skipped.extend(Skipped(folder, "tests", "Terraform for tests") for folder in tests)
        roots = [folder for folder in roots if folder not in tests]
        if not roots:
            return []
        configurations = Configurations(context.tree, folders)
        files = VariableFiles(context.tree)
        setups, troubled = setups_of(roots, configurations, files)
        for trouble in troubled:
            project = context.layout.project_of(trouble.path)
            _tell_lost(facts, project, trouble.problem, place_of(trouble.problem, trouble.path))
        found = [run(context, facts, configurations, files, setup) for setup in setups]
        facts.files_read += len(configurations.files_read)
        return found

    def _write(self, facts: Facts, runs: list[Root]) -> None:
        from lakewarden.sources.repository.terraform.access import write_entitlements, write_permissions
        from lakewarden.sources.repository.terraform.bindings import write_bindings
        from lakewarden.sources.repository.terraform.branches import write_branches
        from lakewarden.sources.repository.terraform.federation import write_federation
        from lakewarden.sources.repository.terraform.grants import Register, write_grants
        from lakewarden.sources.repository.terraform.hooks import write_hooks
        from lakewarden.sources.repository.terraform.mounts import write_mounts
        from lakewarden.sources.repository.terraform.principals import people_in_groups
        from lakewarden.sources.repository.terraform.unity_catalog import write_locations, write_objects
        from lakewarden.sources.repository.terraform.workloads import write_workloads

        of_project: dict[str, list[Root]] = {}
        for root in runs:
            of_project.setdefault(root.project, []).append(root)
        seen: set[str] = set()
        for project, roots in of_project.items():
            objects = [made for root in roots for made in write_objects(root, seen)]
            write_locations(objects)
            write_grants(roots, objects, seen)
            register = Register(objects)
            for root in roots:
                write_bindings(root, register)
                write_workloads(root)
                write_permissions(root, seen)
                write_entitlements(root, seen)
                write_hooks(root)
                write_mounts(root)
                write_federation(root, seen)
                write_branches(root)
                people_in_groups(root, seen)
            for table in ELSEWHERE:
                if any(of_type(kind) == {table} and root.of(kind) for root in roots for kind in OF_TYPES):
                    self.fills |= {table}
                    with facts.listing(table, project=project):
                        pass


def _plans(context: Context, facts: Facts) -> list[Root]:
    """What the plans of the repository make; one that cannot be read is a gap."""
    if not any(entry.path.endswith(".json") and "plan" in entry.path.lower() for entry in context.tree.files):
        return []
    from lakewarden.sources.repository.terraform.plan import plans_of, read_plan

    found = []
    for path in plans_of(context.tree, facts.skipped):
        facts.files_read += 1
        try:
            found.append(read_plan(context, facts, path))
        except SourceError as problem:
            _tell_lost(facts, context.layout.project_of(path), problem, Origin(path))
    return found


def _tell_terragrunt(context: Context, facts: Facts) -> None:
    """Say that Terragrunt is not read; what it calls on Databricks is a gap, of which a plan tells."""
    for path, _ in context.tree.files:
        if not path.endswith("terragrunt.hcl"):
            continue
        try:
            speaks = b"databricks" in f"{path}\n".lower().encode() + context.tree.read(path).lower()
        except SourceError as problem:
            _tell_lost(facts, context.layout.project_of(path), problem, Origin(path))
            continue
        if speaks:
            lost = SourceError(
                "unresolved", f"{path} is of Terragrunt, which is not read", "run Lakewarden on a plan of Terraform"
            )
            _tell_lost(facts, context.layout.project_of(path), lost, Origin(path))
        else:
            facts.skipped.append(Skipped(path, "terragrunt", "Terragrunt is not read"))


def _tell_lost(facts: Facts, project: str, problem: SourceError, origin: Origin) -> None:
    for table in sorted(FILLS):
        facts.gap(Gap(Cause(problem.cause), table, problem.reason, problem.remedy, project=project, origin=origin))
