"""Checks of CMD: GetCommand."""
