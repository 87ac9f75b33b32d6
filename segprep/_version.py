"""The version of segprep."""

__version__ = "0.1.0"
