"""Checks of OPD: OpenDevice."""
