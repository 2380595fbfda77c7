"""BACKUP and RESTORE of the emulated SQL Server: their options, the media, what these say, and the history of both."""
