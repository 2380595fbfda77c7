"""Checks of BUF: buffer ownership."""
