"""Generations over HTTP: order, look, follow, cancel, make another take, watch the video."""
