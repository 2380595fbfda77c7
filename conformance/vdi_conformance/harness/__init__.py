"""What checks are written in: the processes and sets that they use, and what is expected of them."""
