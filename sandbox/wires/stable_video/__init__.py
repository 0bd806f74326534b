"""Stable Video's side: its API as `sandbox.wires.stable_video.endpoints` says."""

from sandbox.wires.stable_video.endpoints import routes
from sandbox.wires.stable_video.requests import NAME

__all__ = ["NAME", "routes"]
