"""Checks of SRV: server interface."""
