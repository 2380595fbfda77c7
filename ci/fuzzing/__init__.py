"""Tries every reader of the suite with inputs that somebody hostile could give it; `ci/fuzz.py` is its command."""
