"""A bundle executed again on a second machine: another state folder, and an engine without the image."""
