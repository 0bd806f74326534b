"""ByteDance Seedance on ModelArk.

Sources: the field list of the vendor's Python SDK 5.0.54, public notes of probing the API, and price tables;
what was found with resellers only is marked as uncertain. The pixel sizes agree between several independent
integrations, but not with the vendor's own page, so a video may differ from them a little.

Prices are for a million tokens, of which only videos that were made are billed; how many, the task says. 1.0: the
vendor's own page. 1.5: a mirror of it. 2.0: the price list of a partner. 2.5: the vendor's examples of five seconds, as
others quote them; one video of 30 seconds was seen to be billed for twice the tokens of the rule, so a bill may be
higher.
"""

from collections.abc import Mapping
from datetime import date, timedelta

from domain.costs.prices import PerToken
from domain.orders.capabilities import (
    SILENT_OPTION,
    Capability,
    Mode,
    ModelFacts,
    Option,
    OptionKind,
    ProviderFacts,
    Size,
    Support,
)
from domain.orders.entries import AtCancel, Door, Entry

_FACTS_READ = date(2026, 11, 23)
_DOLLAR = 1_000_000

_RATIOS = ("16:9", "9:16", "1:1", "4:3", "3:4", "21:9")
_FIRST_GENERATION = {
    "480p": ((864, 480), (480, 864), (640, 640), (736, 544), (544, 736), (960, 416)),
    "720p": ((1248, 704), (704, 1248), (960, 960), (1120, 832), (832, 1120), (1504, 640)),
    "1080p": ((1920, 1088), (1088, 1920), (1440, 1440), (1664, 1248), (1248, 1664), (2176, 928)),
}
_LATER_GENERATIONS = {
    "480p": ((864, 496), (496, 864), (640, 640), (752, 560), (560, 752), (992, 432)),
    "720p": ((1280, 720), (720, 1280), (960, 960), (1112, 834), (834, 1112), (1470, 630)),
    "1080p": ((1920, 1080), (1080, 1920), (1440, 1440), (1664, 1248), (1248, 1664), (2206, 946)),
    "4k": ((3840, 2160), (2160, 3840), (2880, 2880), (3326, 2494), (2494, 3326), (4398, 1886)),
}
_NEWEST_GENERATION = _LATER_GENERATIONS | {
    "480p": ((854, 480), (480, 854), *_LATER_GENERATIONS["480p"][2:]),
}

_WATERMARK = Option(
    name="watermark",
    kind=OptionKind.BOOLEAN,
    description="Whether the video carries the provider's mark.",
    default=False,
)
_SOUND = Option(
    name=SILENT_OPTION,
    kind=OptionKind.BOOLEAN,
    description="Whether the video has sound; the provider's own default is yes.",
    default=True,
)


def _sizes(table: Mapping[str, tuple[tuple[int, int], ...]], *resolutions: str) -> tuple[Size, ...]:
    """Return the sizes of some resolutions; 720p comes first, and with it 16:9, as the default."""
    names = sorted(resolutions, key=lambda name: name != "720p")
    return tuple(
        Size(width=width, height=height, resolution=name, ratio=ratio)
        for name in names
        for ratio, (width, height) in zip(_RATIOS, table[name], strict=True)
    )


def _model(
    model_id: str,
    *,
    seconds: range,
    sizes: tuple[Size, ...],
    price: PerToken,
    price_is_certain: bool = False,
    camera_fixed: Support = Support.PROMPT,
    options: tuple[Option, ...],
) -> ModelFacts:
    return ModelFacts(
        id=model_id,
        capabilities=tuple(
            Capability(
                mode=mode,
                durations=tuple(seconds),
                default_duration=5,
                sizes=sizes,
                has_exact_sizes=False,
                price=price,
                price_is_certain=price_is_certain,
                obeys_flags=True,  # the first generation does, later ones may
                camera_fixed=camera_fixed,
                options=options,
            )
            for mode in (Mode.TEXT, Mode.IMAGE)
        ),
        facts_read=_FACTS_READ,
    )


SEEDANCE = ProviderFacts(
    id="seedance",
    name="Seedance",
    models=(
        _model(
            "seedance-1-0-pro-250528",
            seconds=range(2, 13),
            sizes=_sizes(_FIRST_GENERATION, "480p", "720p", "1080p"),
            price=PerToken(micros=250 * _DOLLAR // 100),
            price_is_certain=True,
            camera_fixed=Support.NATIVE,
            options=(_WATERMARK,),
        ),
        _model(
            "seedance-1-5-pro-251215",
            seconds=range(4, 13),
            sizes=_sizes(_LATER_GENERATIONS, "480p", "720p", "1080p"),
            price=PerToken(micros=240 * _DOLLAR // 100, silent_micros=120 * _DOLLAR // 100),
            camera_fixed=Support.NATIVE,
            options=(_WATERMARK, _SOUND),
        ),
        _model(
            "dreamina-seedance-2-0-260128",
            seconds=range(4, 16),
            sizes=_sizes(_LATER_GENERATIONS, "480p", "720p", "1080p", "4k"),
            price=PerToken(micros=700 * _DOLLAR // 100),
            options=(_WATERMARK, _SOUND),
        ),
        _model(
            "dreamina-seedance-2-5-260628",
            seconds=range(4, 31),
            sizes=_sizes(_NEWEST_GENERATION, "480p", "720p", "1080p"),
            price=PerToken(micros=1070 * _DOLLAR // 100),
            options=(_WATERMARK, _SOUND),
        ),
    ),
)

ENTRY = Entry(
    facts=SEEDANCE,
    preference=2,
    spacing=timedelta(seconds=3),
    lists_jobs=True,
    cancel_queued=AtCancel.STOPS_FREE,
    cancel_running=AtCancel.GOES_ON,
    door=Door(
        key_variable="SEEDANCE_API_KEY",
        vendor_variables=("ARK_API_KEY",),
        base_url="https://ark.ap-southeast.bytepluses.com",  # China: https://ark.cn-beijing.volces.com
        base_url_variable="VIDEOPLANET_SEEDANCE_BASE_URL",
    ),
)
