"""The checks, a folder for each topic of the catalogue."""
