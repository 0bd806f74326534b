"""The providers that VideoPlanet knows, with their models, limits and prices as read on the date beside each."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from domain.orders.line_up.runway import RUNWAY
from domain.orders.line_up.seedance import SEEDANCE
from domain.orders.line_up.stable_video import RETIREMENT, STABLE_VIDEO

__all__ = ["LINE_UP", "RETIREMENT", "RUNWAY", "SEEDANCE", "SPACING", "STABLE_VIDEO", "can_list", "name_of"]

LINE_UP = (RUNWAY, SEEDANCE, STABLE_VIDEO)
"""In the order of preference where the user leaves the choice to us."""

SPACING: Mapping[str, timedelta] = MappingProxyType(
    {
        RUNWAY.id: timedelta(seconds=5),
        SEEDANCE.id: timedelta(seconds=3),
        STABLE_VIDEO.id: timedelta(seconds=10),
    }
)
"""How long each provider is left alone between two orders, by our own rule."""

_LISTING = frozenset({SEEDANCE.id})
_NAMES = {facts.id: facts.name for facts in LINE_UP}


def can_list(provider_id: str) -> bool:
    """Tell whether a provider lists its jobs, so that one can be looked for after a lost answer."""
    return provider_id in _LISTING


def name_of(provider_id: str) -> str:
    """Return a provider's name as people write it; the id where it is not known."""
    return _NAMES.get(provider_id, provider_id)
