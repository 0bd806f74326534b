"""Queues and accounts over HTTP: what waits, for what, what each provider can do, and how each stands."""
