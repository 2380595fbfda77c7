"""The interface as data: numbers, names and layouts, as the public documents and headers give them."""
