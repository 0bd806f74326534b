"""The providers' own wires, one package each, with what each accepts and how it refuses.

A package here has `NAME`, the provider's public id, and `routes`, which makes its routes in a house. There is no list
to keep beside them: a wire that is added is served.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from starlette.routing import Route

from sandbox.house import House

__all__ = ["WIRES", "RoutesOf"]

RoutesOf = Callable[[House], list[Route]]


def _wires() -> dict[str, RoutesOf]:
    packages = [import_module(f"{__name__}.{one.name}") for one in iter_modules(__path__)]
    return {package.NAME: package.routes for package in packages}


WIRES: Mapping[str, RoutesOf] = MappingProxyType(_wires())
"""What makes a provider's routes, by its id."""
