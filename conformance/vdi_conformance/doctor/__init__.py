"""The doctor: tests a host, which speaks the host protocol, and tells of each mistake how to put it right."""
