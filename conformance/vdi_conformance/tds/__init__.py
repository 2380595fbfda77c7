"""TDS, the protocol by which drivers talk to SQL Server, from the server's side [MS-TDS]; it knows nothing of VDI."""
