"""The bundle source: what `databricks.yml` and the files that it includes declare, target by target."""
