"""Small helpers of a lending library."""

__version__ = "1.2.0"
