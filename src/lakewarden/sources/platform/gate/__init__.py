"""What a gate reads about one model version, and about it alone."""
