"""The reader of GitHub Actions."""
