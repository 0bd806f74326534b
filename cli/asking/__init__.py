"""The commands that order and look, over HTTP only."""
