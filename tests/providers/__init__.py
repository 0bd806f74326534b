"""Adapters against the sandbox, and against a server that answers anything."""
