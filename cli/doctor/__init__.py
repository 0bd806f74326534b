"""`videoplanet doctor`: what keeps the service from running on this machine, and what to do."""
