"""Keys, passes, and what was done with them."""
