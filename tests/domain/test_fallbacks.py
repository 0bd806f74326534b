"""Everybody who may serve a request: who is asked for, and who goes on."""

from collections.abc import Sequence
from typing import Any

import pytest

from domain.orders.capabilities import ProviderFacts
from domain.orders.line_up import LINE_UP
from domain.orders.line_up.runway import RUNWAY
from domain.orders.line_up.seedance import SEEDANCE
from domain.orders.line_up.stable_video import RETIREMENT, STABLE_VIDEO
from domain.orders.planning import Wanted, plans
from domain.orders.plans import FirstFrame
from tests.domain.planned import planned, refused
from tests.factories import a_first_frame, a_request

PICTURE = a_first_frame()
GONE = STABLE_VIDEO.model_copy(update={"retired": RETIREMENT})


def all_planned(
    *, at: Sequence[ProviderFacts] = LINE_UP, frame: FirstFrame | None = None, **request: Any
) -> list[tuple[str, str]]:
    """The provider and the model of every plan for a fox."""
    made = plans(Wanted(request=a_request(**request), seed=7, first_frame=frame), at)
    return [(plan.provider, plan.model) for plan in made]


RUNWAYS, SEEDANCES, STABLES = (
    ("runway", "gen4.5"),
    ("seedance", "seedance-1-0-pro-250528"),
    ("stable-video", "svd"),
)


@pytest.mark.parametrize(
    ("order", "frame", "expected"),
    [
        ({}, None, [RUNWAYS, SEEDANCES]),
        ({}, PICTURE, [RUNWAYS, SEEDANCES, STABLES]),
        ({"params": {"resolution": "1080p"}}, None, [SEEDANCES]),
        ({"provider": "seedance"}, PICTURE, [SEEDANCES, RUNWAYS, STABLES]),
        ({"provider": "stable-video"}, PICTURE, [STABLES, RUNWAYS, SEEDANCES]),
        ({"provider": "seedance", "model": "dreamina-seedance-2-5-260628"}, None, None),
        ({"model": "gen4_turbo"}, PICTURE, [("runway", "gen4_turbo"), SEEDANCES, STABLES]),
        ({"provider": "seedance", "fallback_providers": []}, PICTURE, [SEEDANCES]),
        ({"provider": "runway", "fallback_providers": ["stable-video"]}, PICTURE, [RUNWAYS, STABLES]),
        (
            {"provider": "runway", "fallback_providers": ["stable-video", "seedance"]},
            PICTURE,
            [RUNWAYS, STABLES, SEEDANCES],
        ),
        ({"provider": "runway", "fallback_providers": ["stable-video"]}, None, [RUNWAYS]),
        ({"model": "svd", "fallback_providers": ["seedance"]}, PICTURE, [STABLES, SEEDANCES]),
        ({"fallback_providers": []}, PICTURE, [RUNWAYS, SEEDANCES, STABLES]),
        ({"fallback_providers": ["seedance"]}, PICTURE, [RUNWAYS, SEEDANCES, STABLES]),
        ({"provider": "seedance", "max_cost_usd": "0.30"}, None, [SEEDANCES]),
    ],
)
def test_what_is_asked_for_comes_first_and_then_those_that_can_go_on(
    order: dict[str, Any], frame: FirstFrame | None, expected: list[tuple[str, str]] | None
) -> None:
    fallback = [("seedance", "dreamina-seedance-2-5-260628"), RUNWAYS]
    assert all_planned(frame=frame, **order) == (fallback if expected is None else expected)


def test_each_plan_is_one_that_its_provider_would_get_alone() -> None:
    made = plans(Wanted(request=a_request(provider="seedance"), seed=7, first_frame=PICTURE), LINE_UP)
    assert made == tuple(planned(provider=plan.provider, frame=PICTURE) for plan in made)
    assert planned(provider="seedance", frame=PICTURE) == made[0]


def test_a_fallback_provider_that_nobody_knows_is_refused_with_those_that_exist() -> None:
    first, second = refused(provider="runway", fallback_providers=["sora", "seedance", "pika"])
    assert (first.pointer, first.code) == ("/fallback_providers", "unknown_provider")
    assert (first.allowed, first.served_by) == (("seedance", "stable-video"), ())
    assert ("sora" in first.message, "pika" in second.message) == (True, True)


def test_an_unknown_fallback_is_told_together_with_what_else_is_wrong() -> None:
    problems = refused(provider="runway", fallback_providers=["sora"], params={"resolution": "4k"})
    assert [problem.pointer for problem in problems] == ["/params/resolution", "/fallback_providers"]


def test_a_named_provider_that_cannot_serve_is_never_silently_replaced() -> None:
    (problem,) = refused(provider="runway", fallback_providers=["seedance"], params={"resolution": "4k"})
    assert (problem.pointer, problem.served_by) == ("/params/resolution", ("seedance",))


@pytest.mark.parametrize("listed", ["auto", ["stable-video", "seedance"]])
def test_a_provider_that_is_gone_is_nobody_to_fall_back_to(listed: object) -> None:
    at = [RUNWAY, SEEDANCE, GONE]
    order = {"provider": "runway", "fallback_providers": listed}
    assert all_planned(at=at, frame=PICTURE, **order) == [RUNWAYS, SEEDANCES]
    assert all_planned(at=at, frame=PICTURE, model="gen4.5") == [RUNWAYS, SEEDANCES]
