"""Runway's own models. Source: the facts in Runway's Python SDK 5.24.0 and its developer documentation.

Prices: its pricing page of September 2026, as quoted in public notes. Whole credits are billed; the terminal task says
how many, and what it says counts.
"""

from datetime import date, timedelta

from domain.costs.prices import PerSecond
from domain.orders.capabilities import Capability, Mode, ModelFacts, Option, OptionKind, ProviderFacts, Size
from domain.orders.entries import AtCancel, Door, Entry

_FACTS_READ = date(2026, 11, 23)
_CREDIT = 10_000  # micro-dollars: one credit is $0.01

_LANDSCAPE_AND_PORTRAIT = (Size(width=1280, height=720), Size(width=720, height=1280))
_SIX_SIZES = (
    *_LANDSCAPE_AND_PORTRAIT,
    Size(width=1104, height=832),
    Size(width=960, height=960),
    Size(width=832, height=1104),
    Size(width=1584, height=672),
)
_FIGURES = Option(
    name="public_figure_threshold",
    kind=OptionKind.CHOICE,
    description="How strictly recognisable public figures are refused.",
    default="auto",
    choices=("auto", "low"),
)


def _capability(mode: Mode, sizes: tuple[Size, ...], credits_per_second: int) -> Capability:
    return Capability(
        mode=mode,
        durations=tuple(range(2, 11)),
        default_duration=5,
        sizes=sizes,
        price=PerSecond(micros=credits_per_second * _CREDIT, step=_CREDIT),
        prompt_units=1000,
        options=(_FIGURES,),
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
            facts_read=_FACTS_READ,
        ),
        ModelFacts(
            id="gen4_turbo",
            capabilities=(_capability(Mode.IMAGE, _SIX_SIZES, 5),),
            facts_read=_FACTS_READ,
        ),
    ),
)

ENTRY = Entry(
    facts=RUNWAY,
    preference=1,
    spacing=timedelta(seconds=5),
    lists_jobs=False,
    cancel_queued=AtCancel.STOPS_FREE,
    cancel_running=AtCancel.STOPS_BILLED,
    door=Door(
        key_variable="RUNWAY_API_KEY",
        vendor_variables=("RUNWAYML_API_SECRET",),
        base_url="https://api.dev.runwayml.com",
        base_url_variable="VIDEOPLANET_RUNWAY_BASE_URL",
    ),
)
