"""Checks of MBH: MapBufferHandle."""
