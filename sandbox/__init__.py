"""The providers' side: it speaks their wire formats, renders real videos, and misbehaves on demand.

Start it with `python -m sandbox`, or in a test with `sandbox.server.running`.

Promises: a job is recorded before its creation is answered, survives `kill -9` where a data folder is given,
and stays listed in `GET /_sandbox/jobs`. Spacing and caps are measured here, where the provider stands
(`GET /_sandbox/load`). None of its videos passes for a real one: each says SANDBOX.
Refuses: to share any code with the adapters that it stands opposite to.
"""

from sandbox.app import create_app
from sandbox.settings import Settings

__all__ = ["Settings", "create_app"]
