"""What is true without any I/O, much of it as properties."""
