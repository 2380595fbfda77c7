"""Checks of ABT: SignalAbort."""
