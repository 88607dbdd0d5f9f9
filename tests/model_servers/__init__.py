"""Model servers that say what they were told to: real HTTP on loopback, two wire formats, faults on demand."""
