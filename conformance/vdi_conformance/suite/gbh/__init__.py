"""Checks of GBH: GetBufferHandle."""
