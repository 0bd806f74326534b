"""Money over HTTP: estimates, limits, what was spent, and what an operator says of a bill."""
