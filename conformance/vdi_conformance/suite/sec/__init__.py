"""Checks of SEC: OpenInSecondaryEx."""
