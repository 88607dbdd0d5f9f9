"""What a harbour asks of its guests."""
