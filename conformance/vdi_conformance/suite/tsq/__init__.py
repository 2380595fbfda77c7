"""Checks of TSQ: T-SQL syntax."""
