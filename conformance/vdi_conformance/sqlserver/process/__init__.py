"""The process of the emulated SQL Server: broker, server, its tools, and a command that is run with them."""
