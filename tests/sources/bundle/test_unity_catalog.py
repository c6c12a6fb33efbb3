from __future__ import annotations

from typing import Any

import pytest

START = "bundle: {name: b}\ntargets: {prod: {}}\n"
TEXT = (
    START
    + """
resources:
  catalogs:
    c: {name: Prod, grants: [{principal: analysts, privileges: [USE_CATALOG]}]}
    f: {name: outside, connection_name: x}
  schemas:
    s: {name: ml, catalog_name: "${resources.catalogs.c.name}", grants: [{principal: ann@acme.com, privileges: ["ALL PRIVILEGES"]}]}
    t: {name: other, catalog_name: dev}
  volumes:
    v: {name: files, catalog_name: prod, schema_name: "${resources.schemas.s.name}"}
  registered_models:
    m: {name: Churn, catalog_name: prod, schema_name: ml}
  models:
    old: {name: Old}
"""
)


def test_objects(read: Any) -> None:
    seen = read(TEXT)
    assert {(s.key, s.kind, s.catalog, s.owner, s.owner_kind) for s in seen.rows("securables")} == {
        ("b/prod/prod", "catalog", "prod", "deployer", "deployer"),
        ("b/prod/outside", "catalog", "outside", "deployer", "deployer"),
        ("b/prod/prod.ml", "schema", "prod", "deployer", "deployer"),
        ("b/prod/dev.other", "schema", "dev", "deployer", "deployer"),
        ("b/prod/prod.ml.files", "volume", "prod", "deployer", "deployer"),
        ("b/prod/registered_models.m", "model", "prod", "deployer", "deployer"),
    }
    assert {(c.name, c.catalog_type) for c in seen.rows("catalogs")} == {("prod", "MANAGED"), ("outside", "FOREIGN")}
    assert {s.key for s in seen.rows("schemas")} == {"b/prod/prod.ml", "b/prod/dev.other"}
    assert {(m.name, m.registry, m.catalog) for m in seen.rows("models")} == {
        ("prod.ml.churn", "unity_catalog", "prod"),
        ("old", "workspace", "none"),
    }
    assert [g.cause.value for g in seen.gaps("catalogs")] == ["not-asked", "not-asked"]


def test_inheritance_inside_the_bundle(read: Any) -> None:
    found = {
        (g.securable.removeprefix("b/prod/"), g.principal, g.privilege, g.to_owner) for g in read(TEXT).rows("effective_grants")
    }
    catalog = ("group:analysts", "USE_CATALOG", False)
    schema = ("user:ann@acme.com", "ALL_PRIVILEGES", None)
    assert found == {
        ("prod", *catalog),
        ("prod.ml", *catalog), ("prod.ml", *schema),
        ("prod.ml.files", *catalog), ("prod.ml.files", *schema),
        ("registered_models.m", *catalog), ("registered_models.m", *schema),
    }  # fmt: skip


def test_names_that_cannot_be_told(read: Any) -> None:
    seen = read(
        START
        + "resources: {schemas: {s: {name: ml, catalog_name: '${var.unset}'}}, registered_models: {m: {name: x, catalog_name: '${var.unset}', schema_name: s}}}\n"
    )
    assert [(s.key, s.catalog) for s in seen.rows("schemas")] == [("b/prod/schemas.s", None)]
    assert [(m.name, m.catalog) for m in seen.rows("models")] == [(None, None)]
    assert {c.catalog for c in seen.rows("target_catalogs")} == {None}
    assert any("variable unset is not declared" in g.reason for g in seen.gaps("securables"))


def test_a_principal_that_cannot_be_told_keeps_its_row(read: Any) -> None:
    seen = read(
        START
        + "resources: {schemas: {s: {name: m, catalog_name: c, grants: [{principal: '${var.unset}', privileges: [MODIFY, SELECT]}]}}}\n"
    )
    assert [(g.principal, g.principal_kind, g.privilege) for g in seen.rows("grants")] == [
        (None, None, "MODIFY"),
        (None, None, "SELECT"),
    ]
    assert len(seen.rows("effective_grants")) == 2


def test_grants_that_cannot_be_told_are_a_gap_of_the_securable(read: Any) -> None:
    seen = read(START + "resources: {schemas: {s: {name: m, catalog_name: c, grants: '${var.unset}'}}}\n")
    assert {(g.facts, g.parent) for g in seen.gaps(lists=True)} == {("grants", "b/prod/c.m"), ("effective_grants", "b/prod/c.m")}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (
            "served_entities: [{name: a, entity_name: Prod.ml.churn, entity_version: '7'}]",
            ("prod.ml.churn", 7, "prod", False, True),
        ),
        ("served_models: [{model_name: churn, model_version: 3}]", ("churn", 3, "none", False, True)),
        ("served_entities: [{entity_name: system.ai.llama, entity_version: 1}]", ("system.ai.llama", 1, "system", True, True)),
        ("served_entities: [{external_model: {name: gpt}}]", ("none", None, "none", True, True)),
        ("served_entities: [{entity_name: '${var.unset}', entity_version: 1}]", (None, 1, None, False, True)),
    ],
)
def test_served_entities(read: Any, config: str, expected: tuple[Any, ...]) -> None:
    row = read(START + f"resources: {{model_serving_endpoints: {{e: {{name: x, config: {{{config}}}}}}}}}\n").one(
        "served_entities"
    )
    assert (row.entity_name, row.entity_version, row.catalog, row.external, row.sole_route) == expected


def test_routes(read: Any) -> None:
    text = (
        START
        + """
resources:
  model_serving_endpoints:
    e:
      tags: [{key: role, value: challenger}]
      config:
        served_entities: [{name: a, entity_name: c.s.a, entity_version: 1}, {name: b, entity_name: c.s.b, entity_version: 1}]
        traffic_config: {routes: [{served_model_name: a, traffic_percentage: 100}, {served_model_name: b, traffic_percentage: 0}]}
"""
    )
    seen = read(text)
    assert seen.column("served_entities", "sole_route") == [True, False]
    assert seen.column("served_entities", "challenger") == [True, True]
    assert read(text.replace("percentage: 100", "percentage: 90")).column("served_entities", "sole_route") == [False, False]
    assert read(text.replace("percentage: 100", "percentage: '${var.x}'")).column("served_entities", "sole_route") == [None, None]
    assert read(text.replace("value: challenger", "value: '${var.x}'")).column("served_entities", "challenger") == [None, None]


def test_permissions(read: Any) -> None:
    seen = read(
        """
        bundle: {name: b}
        targets:
          prod:
            run_as: {service_principal_name: sp}
        permissions: [{service_principal_name: sp, level: CAN_RUN}, {group_name: admins, level: CAN_MANAGE}, {level: CAN_VIEW}]
        resources:
          jobs: {j: {name: train, run_as: {user_name: a@b.c}, permissions: [{user_name: a@b.c, level: IS_OWNER}, {user_name: '${var.x}', level: CAN_RUN}]}}
          experiments: {e: {name: /Shared/e, permissions: [{group_name: users, level: CAN_EDIT}]}}
          model_serving_endpoints: {m: {name: ep, permissions: '${var.x}'}}
        """
    )
    found = {(p.object_kind, p.object_name, p.principal, p.is_run_as, p.level) for p in seen.rows("permissions")}
    assert found == {
        ("target", "prod", "service_principal:sp", True, "CAN_RUN"),
        ("target", "prod", "group:admins", False, "CAN_MANAGE"),
        ("job", "train", "user:a@b.c", True, "IS_OWNER"),
        ("job", "train", None, None, "CAN_RUN"),
        ("experiment", "/Shared/e", "group:users", False, "CAN_EDIT"),
        ("experiment", "/Shared/e", "service_principal:sp", False, "CAN_RUN"),
        ("experiment", "/Shared/e", "group:admins", False, "CAN_MANAGE"),
        ("experiment", "/Shared/e", None, None, "CAN_VIEW"),
        ("target", "prod", None, None, "CAN_VIEW"),
    }
    assert "the permission names nobody" in seen.gaps("permissions", lists=False)[0].reason
    assert [g.facts for g in seen.gaps(lists=True)] == ["permissions"]


def test_who_deploys_may_be_anyone_but_a_group(read: Any) -> None:
    seen = read(
        "bundle: {name: b}\ntargets: {prod: {permissions: [{user_name: a@b.c, level: CAN_RUN}, {group_name: g, level: CAN_RUN}]}}\n"
    )
    assert seen.column("permissions", "is_run_as") == [None, False]


def test_experiments_by_resource_parameter_and_variable(read: Any) -> None:
    seen = read(
        """
        bundle: {name: b}
        variables:
          experiment_name: {default: /Users/ann@acme.com/churn}
          experiment_suffix: {default: /x}
          experiment_id: {default: "12"}
          unset_experiment:
        targets: {prod: {workspace: {host: https://adb-1.azuredatabricks.net}}}
        resources:
          experiments: {e: {name: /Shared/churn}}
          jobs: {j: {tasks: [{task_key: t, notebook_task: {notebook_path: /Shared/x, base_parameters: {experiment_path: /Shared/churn, experiment: "${var.experiment_name}"}}}]}}
        """
    )
    assert {(e.key, e.path, e.path_place, e.host) for e in seen.rows("experiments")} == {
        ("b/prod//Shared/churn", "/Shared/churn", "everyone", "https://adb-1.azuredatabricks.net"),
        ("b/prod//Users/ann@acme.com/churn", "/Users/ann@acme.com/churn", "person", "https://adb-1.azuredatabricks.net"),
        ("b/prod/variables.unset_experiment", None, None, "https://adb-1.azuredatabricks.net"),
    }
    assert seen.one("experiments", path_place="person").origin.line == 4, "told where the variable is set"
