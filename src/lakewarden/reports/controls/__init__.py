"""Verdicts by the controls of a framework."""
