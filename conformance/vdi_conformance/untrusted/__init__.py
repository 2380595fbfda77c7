"""Texts and files from outside: read with an answer to everything, escaped, and bounded."""
