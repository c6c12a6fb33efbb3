"""Rules and facts → verdicts."""
