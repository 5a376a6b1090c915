"""A look-alike Zoom with its own physics, for demonstrations and tests."""
