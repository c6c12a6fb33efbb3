"""Who is named: a literal name, or a reference to a user, a group or a service principal of the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lakewarden.facts.model.identity import PrincipalSummary
from lakewarden.sources.repository.bundle.principals import is_everyone, kind_of_name
from lakewarden.sources.repository.terraform.values import Unknown, to_text

if TYPE_CHECKING:
    from lakewarden.sources.repository.terraform.root import Root
    from lakewarden.sources.repository.terraform.values import Value

_KINDS = {
    "databricks_service_principal": "service_principal",
    "azuread_service_principal": "service_principal",
    "azuread_application": "service_principal",
    "azuread_application_registration": "service_principal",
    "azurerm_user_assigned_identity": "service_principal",
    "databricks_user": "user",
    "databricks_group": "group",
    "azuread_user": "user",
    "azuread_group": "group",
}
_NAMES = {"databricks_user": "user_name", "databricks_group": "display_name", "databricks_service_principal": "application_id"}
_DEPLOYER = "${workspace.current_user."


class Principal(NamedTuple):
    """A principal as far as it is known. `name` stands for it as facts write it, `kind:name`."""

    kind: str | None
    name: str | None

    @property
    def key(self) -> str | None:
        """The principal as facts write it."""
        return None if self.kind is None or self.name is None else f"{self.kind}:{self.name}"

    @property
    def told_kind(self) -> str | None:
        """The kind as facts tell it: `everyone` for a group of all users."""
        return "everyone" if is_everyone(self.kind, self.name) else self.kind


NOBODY = Principal(None, None)


def principal_of(root: Root, value: Value, kind: str | None = None) -> Principal:
    """The principal that a value names; `kind` where its place says what it is.

    One that exists only once Terraform has run is named by its address: it is another in each root module.
    """
    text = to_text(value)
    if text is not None:
        text = text.strip()
        if text.startswith(_DEPLOYER):
            return NOBODY  # a person or a service principal, whoever runs Terraform
        return Principal(kind or kind_of_name(text), text)
    item = root.item_of(value)
    if item is None or item.type not in _KINDS:
        return Principal(kind, None)
    field = _NAMES.get(item.type)
    named = to_text(item.section.value(field)) if field is not None else None
    return Principal(_KINDS[item.type], named or f"{root.key}/{item.address}")


def made_here(root: Root, value: Value) -> str | None:
    """The name of a principal that the root module itself makes, and that exists only once Terraform has run."""
    item = root.item_of(value)
    return principal_of(root, value).name if item is not None and item.type in _KINDS and not item.data else None


def remember(root: Root, principal: Principal, seen: set[str]) -> None:
    """Write what is known of a principal, once."""
    key = principal.key
    if key is None or key in seen:
        return
    seen.add(key)
    everyone = is_everyone(principal.kind, principal.name)
    person = True if everyone or principal.kind == "user" else False if principal.kind == "service_principal" else None
    if person is not None:
        root.facts.add(PrincipalSummary(key=key, has_person=person))


def owner_of(root: Root, value: Value) -> Principal:
    """The owner that is declared; the deployer where none is."""
    if value is None:
        return Principal("deployer", "deployer")
    found = principal_of(root, value)
    return found if not isinstance(value, Unknown) or found.kind is not None else NOBODY


def people_in_groups(root: Root, seen: set[str]) -> None:
    """Write that a group holds people where its members are declared to. Other members may be added elsewhere."""
    for item in root.of("databricks_group_member"):
        group = principal_of(root, item.section.value("group_id"), "group")
        member = principal_of(root, item.section.value("member_id"))
        if group.key is not None and member.kind == "user" and f"people:{group.key}" not in seen:
            seen.add(f"people:{group.key}")
            root.facts.add(PrincipalSummary(key=group.key, has_person=True, origin=item.origin))
