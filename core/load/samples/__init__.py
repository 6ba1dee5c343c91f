"""Seeded generators of the built-in sample projects. Every row is invented."""
