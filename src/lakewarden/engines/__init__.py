"""Engines: where rules meet facts."""
