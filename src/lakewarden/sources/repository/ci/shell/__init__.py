"""Scripts of shells: what they run, where, under which conditions, and what a failure leads to."""
