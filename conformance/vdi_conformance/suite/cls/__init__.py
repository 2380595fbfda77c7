"""Checks of CLS: Close."""
