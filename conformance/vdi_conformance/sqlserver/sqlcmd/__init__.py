"""sqlcmd and osql: their options, scripts, output and exit codes, on a session of the emulated SQL Server."""
