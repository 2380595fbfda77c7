"""Checks of LNX: Linux library."""
