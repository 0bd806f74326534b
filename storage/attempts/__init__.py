"""Attempts as rows: the fence before a submit, what became of it, and what is still looked for."""
