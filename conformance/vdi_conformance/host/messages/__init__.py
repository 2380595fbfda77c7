"""The host protocol: every request with its parameters and its reply, the one source of the published schemas.

JSON-RPC 2.0, one object a line, on the host's standard input and output. Addresses and 64-bit numbers travel as
hex strings, HRESULTs, handles and completion codes as numbers. `thread` is a label: requests with the same one run
in order on one OS thread, different ones run at once, requests without one run on the reader and must not wait.
"""
