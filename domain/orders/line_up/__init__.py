"""The providers that VideoPlanet knows, with their models, limits and prices as read on the date beside each.

Every module of this package is one provider's entry and calls it `ENTRY`. There is no list to keep beside them: a
module that is added is a provider that is known, and its name is the provider's id with underscores for hyphens.
"""

from collections.abc import Mapping
from datetime import timedelta
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType

from domain.orders.capabilities import ProviderFacts
from domain.orders.entries import Entry

__all__ = ["ENTRIES", "LINE_UP", "SPACING", "can_list", "entry_of", "name_of"]


def _entries() -> tuple[Entry, ...]:
    found: list[Entry] = [import_module(f"{__name__}.{one.name}").ENTRY for one in iter_modules(__path__)]
    return tuple(sorted(found, key=lambda entry: (entry.preference, entry.id)))


ENTRIES = _entries()
"""In the order of preference where the user leaves the choice to us."""

LINE_UP: tuple[ProviderFacts, ...] = tuple(entry.facts for entry in ENTRIES)
"""What they can do, in the same order."""

SPACING: Mapping[str, timedelta] = MappingProxyType({entry.id: entry.spacing for entry in ENTRIES})
"""How long each provider is left alone between two orders, by our own rule."""

_BY_ID = {entry.id: entry for entry in ENTRIES}


def entry_of(provider_id: str) -> Entry | None:
    """Return a provider's entry; None where it is not known."""
    return _BY_ID.get(provider_id)


def can_list(provider_id: str) -> bool:
    """Tell whether a provider lists its jobs, so that one can be looked for after a lost answer."""
    return provider_id in _BY_ID and _BY_ID[provider_id].lists_jobs


def name_of(provider_id: str) -> str:
    """Return a provider's name as people write it; the id where it is not known."""
    return _BY_ID[provider_id].facts.name if provider_id in _BY_ID else provider_id
