"""Checks of NAM: instance name."""
