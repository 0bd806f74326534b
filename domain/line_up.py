"""The providers that VideoPlanet knows, with their models, limits and prices as read on the date beside each."""

from datetime import date

from domain.capabilities import Capability, Mode, ModelFacts, ProviderFacts, Size

_RUNWAY_CREDIT = 10_000  # micro-dollars: one Runway credit is $0.01
_TWO_TO_TEN = tuple(range(2, 11))

_LANDSCAPE_AND_PORTRAIT = (Size(width=1280, height=720), Size(width=720, height=1280))
_SIX_SIZES = (
    *_LANDSCAPE_AND_PORTRAIT,
    Size(width=1104, height=832),
    Size(width=960, height=960),
    Size(width=832, height=1104),
    Size(width=1584, height=672),
)


def _capability(mode: Mode, sizes: tuple[Size, ...], credits_per_second: int) -> Capability:
    return Capability(
        mode=mode,
        durations=_TWO_TO_TEN,
        default_duration=5,
        sizes=sizes,
        price_per_second=credits_per_second * _RUNWAY_CREDIT,
        prompt_units=1000,
    )


RUNWAY = ProviderFacts(
    id="runway",
    name="Runway",
    models=(
        ModelFacts(
            id="gen4.5",
            capabilities=(
                _capability(Mode.TEXT, _LANDSCAPE_AND_PORTRAIT, 12),
                _capability(Mode.IMAGE, _SIX_SIZES, 12),
            ),
            facts_read=date(2026, 11, 23),
        ),
        ModelFacts(
            id="gen4_turbo",
            capabilities=(_capability(Mode.IMAGE, _SIX_SIZES, 5),),
            facts_read=date(2026, 11, 23),
        ),
    ),
)

_NAMES = {facts.id: facts.name for facts in (RUNWAY,)}


def name_of(provider_id: str) -> str:
    """Return a provider's name as people write it; the id where it is not known."""
    return _NAMES.get(provider_id, provider_id)
