"""Two adapters compared: the same calls on both, the shortest on which they part, and what the documents say of it."""
