"""Words of the field as frozen dataclasses. No I/O, no third-party import."""
