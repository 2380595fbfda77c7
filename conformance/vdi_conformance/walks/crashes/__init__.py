"""Crash points as walks: the steps of a BACKUP or of a RESTORE, what happens at one of them, and what comes of it."""
