"""Checks of IOE: IO-ERROR."""
