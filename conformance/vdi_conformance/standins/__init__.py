"""The stand-ins of both compiled client libraries, and what is built with them from the same C++ sources."""
