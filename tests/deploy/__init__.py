"""Tests of what starts the service in containers."""
