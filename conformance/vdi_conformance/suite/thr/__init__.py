"""Checks of THR: threads."""
