"""The report for a browser: one file with everything in it."""
