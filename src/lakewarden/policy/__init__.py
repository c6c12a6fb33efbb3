"""Policy: what the user wrote about stages, environments, projects and rules. It reads nothing else."""
