"""Generations and their takes as rows: what is wanted, who serves it, how it ended, and what is told of it."""
