"""The databases of the emulated SQL Server: what they are, what is in them, and where they are kept."""
