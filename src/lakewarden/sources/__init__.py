"""Sources: each reads one kind of thing and yields facts. A source judges nothing."""
