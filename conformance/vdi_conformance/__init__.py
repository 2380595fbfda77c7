"""A specification conformance test suite for SQL Server's Virtual Device Interface (VDI)."""

__version__ = "0.1.0"
