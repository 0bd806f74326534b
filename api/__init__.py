"""The front door: each request is checked, written down or looked up, and at most nudges a workflow."""
