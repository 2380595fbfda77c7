"""Statements are run: one module for each kind of them, and `run` for a whole batch."""
