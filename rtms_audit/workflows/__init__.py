"""What the program does, one verb per file."""
