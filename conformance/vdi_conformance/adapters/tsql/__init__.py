"""The server role of a SQL Server: BACKUP and RESTORE as T-SQL, run over a connection of the user's."""
