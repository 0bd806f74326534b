"""Measured claims: `make bench` prints each as a ratio within one run."""
