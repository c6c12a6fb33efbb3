"""Sources of the declared plane: what stands in a repository."""
