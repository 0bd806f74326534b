"""Real processes are killed and frozen for real."""
