"""Tests of the parts of a running deployment."""
