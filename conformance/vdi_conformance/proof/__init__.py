"""The suite tried on itself: does it see what is wrong, and does it leave alone what is right."""
