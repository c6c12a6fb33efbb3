"""Reads SQL: statements with their places, templates as holes, grants, owners and declared keys."""
