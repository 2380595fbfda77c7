"""Checks of ABI: interface identity."""
