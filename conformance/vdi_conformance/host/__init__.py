"""Hosts: operating-system processes that run one role of an adapter and obey the host protocol."""
