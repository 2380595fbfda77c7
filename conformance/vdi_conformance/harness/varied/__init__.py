"""One set under conditions that a combination of values says, and what the documents say of it there."""
