"""Inside a host process of a Python adapter: requests in, calls of the adapter, answers out."""
