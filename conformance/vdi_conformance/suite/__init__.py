"""The checks, by topic, and what they are written in terms of."""
