"""Runway's side: its API as `sandbox.wires.runway.endpoints` says."""

from sandbox.wires.runway.endpoints import routes
from sandbox.wires.runway.requests import NAME

__all__ = ["NAME", "routes"]
