"""Choosing a video's length and size from what a model offers, or saying what would be right."""

import math
from collections.abc import Iterable

from domain.orders.capabilities import Capability, Size
from domain.orders.params import RESOLUTION_NAMES, SIDE_MAX, Params, is_of_ratio, pixels_of, ratio_of
from domain.orders.plans import FirstFrame
from domain.orders.refusals import Problem

_COMMON_RATIOS = ((16, 9), (9, 16), (4, 3), (3, 4), (1, 1), (21, 9), (9, 21), (3, 2), (2, 3))


def duration_of(params: Params, capability: Capability, model_id: str) -> tuple[int, list[Problem]]:
    """Return the length in seconds, and what is wrong with it."""
    asked = params.duration_seconds
    if asked is None:
        return capability.default_duration, []
    if asked in capability.durations:
        return asked, []
    least, most = min(capability.durations), max(capability.durations)
    span = f"{least} to {most} seconds" if most > least else f"{most} seconds"
    problem = Problem(
        pointer="/params/duration_seconds",
        code="duration_not_supported",
        message=f"{model_id} makes videos of {span}",
        allowed=capability.durations,
    )
    return asked, [problem]


def size_of(
    params: Params, frame: FirstFrame | None, capability: Capability, model_id: str
) -> tuple[Size, list[Problem]]:
    """Return the size, and what is wrong with it.

    Where the request leaves the shape open and the video starts from a picture, the size is the one of which
    the least of the picture is cut away.
    """
    fitting = [size for size in capability.sizes if _fits(params, size)]
    if not fitting:
        return capability.sizes[0], [_no_size(params, capability, model_id)]
    if frame is None:
        return fitting[0], []
    alike = [size for size in fitting if size.resolution == fitting[0].resolution]
    return min(alike, key=lambda size: _difference(size, frame)), []


def _difference(size: Size, frame: FirstFrame) -> float:
    return abs(math.log(size.width / size.height) - math.log(frame.width / frame.height))


def _no_size(params: Params, capability: Capability, model_id: str) -> Problem:
    ratio, pixels = ratio_of(params.aspect_ratio), pixels_of(params.resolution)
    if ratio and not any(_has_ratio(size, ratio) for size in capability.sizes):
        return Problem(
            pointer="/params/aspect_ratio",
            code="aspect_ratio_not_supported",
            message=f"{model_id} has no size of {params.aspect_ratio}",
            allowed=tuple(dict.fromkeys(ratio_name(size) for size in capability.sizes)),
        )
    candidates = [size for size in capability.sizes if pixels or not ratio or _has_ratio(size, ratio)]
    return Problem(
        pointer="/params/resolution",
        code="resolution_not_supported",
        message=f"{model_id} has no size of {params.resolution}",
        allowed=tuple(dict.fromkeys([*_resolution_names(candidates), *_pixels_to_ask_for(candidates)])),
    )


def _fits(params: Params, size: Size) -> bool:
    ratio, pixels = ratio_of(params.aspect_ratio), pixels_of(params.resolution)
    if ratio and not _has_ratio(size, ratio):
        return False
    if pixels:
        return (size.width, size.height) == pixels
    return params.resolution is None or params.resolution == size.name


def _has_ratio(size: Size, ratio: tuple[int, int]) -> bool:
    if size.ratio is not None:
        width, height = ratio_of(size.ratio) or (0, 0)
        return width * ratio[1] == height * ratio[0]
    return is_of_ratio((size.width, size.height), ratio)


def ratio_name(size: Size) -> str:
    """Return the name of a size's shape such as `16:9`: the provider's own, else the nearest common one."""
    if size.ratio is not None:
        return size.ratio
    for ratio in _COMMON_RATIOS:
        if _has_ratio(size, ratio):
            return f"{ratio[0]}:{ratio[1]}"
    return f"{size.width}:{size.height}"


def _pixels_to_ask_for(sizes: Iterable[Size]) -> list[str]:
    """Return the sizes that a request may give in pixels; larger ones have names only."""
    return [str(size) for size in sizes if max(size.width, size.height) <= SIDE_MAX]


def _resolution_names(sizes: Iterable[Size]) -> list[str]:
    names = {size.name for size in sizes}
    return [name for name in RESOLUTION_NAMES if name in names]
