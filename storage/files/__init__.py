"""Stored files: taken in by confined children, kept by their content, and removed when nothing uses them."""
