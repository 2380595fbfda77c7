"""Walks: long sequences of calls by real processes, each answer held against the reference model."""
