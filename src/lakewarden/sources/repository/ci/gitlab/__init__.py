"""The reader of GitLab CI."""
