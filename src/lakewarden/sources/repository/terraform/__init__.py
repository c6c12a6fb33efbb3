"""Terraform: what `.tf` files, their JSON form and plans declare of Databricks and of Git hosts."""
