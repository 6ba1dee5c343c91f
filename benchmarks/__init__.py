"""Measurements behind every claim: one script per claim, each printing JSON lines {name, what, n, ratio, spread, unit}."""
