"""The functions of T-SQL, by subject; the registry has them by name."""
