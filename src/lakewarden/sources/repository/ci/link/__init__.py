"""Facts of workflows."""
