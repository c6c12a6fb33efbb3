"""Files of the repository that commands run, as shell text."""
