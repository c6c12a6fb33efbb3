"""Configuration files that code reads: catalogs, experiments and hosts, for each stage."""
