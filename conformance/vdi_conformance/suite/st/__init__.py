"""Checks of ST: state matrix."""
