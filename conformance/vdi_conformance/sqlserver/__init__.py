"""An emulated SQL Server: what its T-SQL means, its databases, and their backups over virtual devices."""
