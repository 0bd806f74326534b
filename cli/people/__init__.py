"""The commands about keys and logging in."""
