"""QVerify Desktop: tests that prove something, and evidence a stranger can check."""

__version__ = "0.1.0"
