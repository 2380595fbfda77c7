"""Checks of CFG: GetConfiguration."""
