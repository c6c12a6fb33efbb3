"""Python files, notebooks and SQL files: what they call, which data they touch, what they load."""
