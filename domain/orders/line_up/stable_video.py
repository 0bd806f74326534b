"""Stable Video Diffusion over Stability's REST wire.

The hosted API was switched off on 2025-07-24; the weights and servers that speak the same wire live on. Source:
copies of the vendor's OpenAPI document, its pricing notice 25 and integrators' reports. The price is the last one of
the hosted API, 20 credits for a clip; on a server of one's own it is the operator's to say.
"""

from datetime import date, timedelta

from domain.costs.prices import PerVideo
from domain.orders.capabilities import (
    Capability,
    Mode,
    ModelFacts,
    Option,
    OptionKind,
    ProviderFacts,
    Retirement,
    Size,
    Support,
)
from domain.orders.entries import AtCancel, Door, Entry

SECONDS = 4
"""Always 25 frames, which is about four seconds."""

RETIREMENT = Retirement(
    on=date(2025, 7, 24),
    instead=(
        "Stability switched its hosted API off. Run Stable Video Diffusion on a server of your own that speaks the "
        "same wire and set VIDEOPLANET_STABILITY_BASE_URL, or use runway or seedance."
    ),
)

STABLE_VIDEO = ProviderFacts(
    id="stable-video",
    name="Stable Video",
    models=(
        ModelFacts(
            id="svd",
            capabilities=(
                Capability(
                    mode=Mode.IMAGE,
                    durations=(SECONDS,),
                    default_duration=SECONDS,
                    sizes=(
                        Size(width=1024, height=576),
                        Size(width=576, height=1024),
                        Size(width=768, height=768),
                    ),
                    price=PerVideo(micros=200_000),
                    price_is_certain=False,
                    uses_prompt=False,
                    negative_prompt=Support.NONE,
                    camera=Support.NONE,
                    camera_fixed=Support.NONE,
                    style=Support.NONE,
                    least_seed=1,  # 0 asks for a random one
                    most_seed=4_294_967_294,
                    options=(
                        Option(
                            name="motion_bucket_id",
                            kind=OptionKind.INTEGER,
                            description="How much moves.",
                            default=127,
                            least=1,
                            most=255,
                        ),
                        Option(
                            name="cfg_scale",
                            kind=OptionKind.NUMBER,
                            description="How closely the video follows the picture.",
                            default=1.8,
                            least=0,
                            most=10,
                        ),
                    ),
                ),
            ),
            facts_read=date(2026, 11, 23),
        ),
    ),
)

ENTRY = Entry(
    facts=STABLE_VIDEO,
    preference=3,
    spacing=timedelta(seconds=10),
    lists_jobs=False,
    cancel_queued=AtCancel.GOES_ON,
    cancel_running=AtCancel.GOES_ON,
    door=Door(
        key_variable="STABILITY_API_KEY",
        base_url="https://api.stability.ai",
        base_url_variable="VIDEOPLANET_STABILITY_BASE_URL",
        price_variable="VIDEOPLANET_STABILITY_PRICE_USD",
        retired=RETIREMENT,
    ),
)
