"""Continuous integration: readers of each system write workflows in one shape, from which facts are made."""
