"""Seedance's side: its API as `sandbox.wires.seedance.endpoints` says."""

from sandbox.wires.seedance.endpoints import routes
from sandbox.wires.seedance.models import NAME

__all__ = ["NAME", "routes"]
