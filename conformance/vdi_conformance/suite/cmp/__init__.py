"""Checks of CMP: CompleteCommand."""
