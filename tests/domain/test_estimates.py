"""What an order would cost at each model and when it would be there: the choice of an order first, and every reason."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.attempts.routing import Door, Health, route
from domain.costs.estimates import Estimate, estimates, fits, in_time
from domain.orders.capabilities import ProviderFacts
from domain.orders.line_up import LINE_UP
from domain.orders.line_up.runway import RUNWAY
from domain.orders.line_up.seedance import SEEDANCE
from domain.orders.line_up.stable_video import RETIREMENT, STABLE_VIDEO
from domain.orders.planning import Wanted, plans
from domain.orders.plans import FirstFrame
from domain.orders.refusals import RequestRefused
from tests.domain.stories import a_health, broken
from tests.factories import NOW, a_first_frame, a_request

PRO, PRO_15, TWO, TWO_AND_A_HALF = (model.id for model in SEEDANCE.models)
EVERY_MODEL = {(facts.id, model.id) for facts in LINE_UP for model in facts.models}


def wanted(frame: FirstFrame | None = None, **request: Any) -> Wanted:
    return Wanted(request=a_request(**request), seed=0, first_frame=frame)


def asked(
    *healths: Health, at: tuple[ProviderFacts, ...] = LINE_UP, frame: FirstFrame | None = None, **request: Any
) -> tuple[Estimate, ...]:
    known = {health.account: health for health in healths}
    return estimates(wanted(frame, **request), at, known, NOW)


def by_model(found: tuple[Estimate, ...]) -> dict[str, Estimate]:
    return {one.model: one for one in found}


def codes(one: Estimate) -> list[str]:
    return [problem.code for problem in one.problems]


def price_of(one: Estimate) -> int | None:
    return None if one.offer is None else one.offer.plan.price


def test_every_model_answers_once_and_what_an_order_would_take_comes_first() -> None:
    found = asked()
    assert {(one.provider, one.model) for one in found} == EVERY_MODEL
    assert len(found) == len(EVERY_MODEL)
    assert [(one.place, one.model, price_of(one)) for one in found[:2]] == [
        (1, "gen4.5", 600_000),
        (2, PRO, 259_545),
    ]
    assert {one.model for one in found if one.place is None and one.is_possible} == {
        PRO_15,
        TWO,
        TWO_AND_A_HALF,
    }
    assert {one.model: codes(one) for one in found if not one.is_possible} == {
        "gen4_turbo": ["image_required"],
        "svd": ["image_required"],
    }
    possible = [one.is_possible for one in found]
    assert possible == sorted(possible, reverse=True), "what cannot be comes last"


requests = st.fixed_dictionaries(
    {},
    optional={
        "provider": st.sampled_from(["auto", "runway", "seedance", "stable-video"]),
        "fallback_providers": st.sampled_from(["auto", []]),
        "max_cost_usd": st.sampled_from(["0.05", "0.30", "0.60", "5"]),
        "params": st.fixed_dictionaries(
            {},
            optional={
                "duration_seconds": st.integers(1, 30),
                "resolution": st.sampled_from(["480p", "720p", "1080p", "4k", "1280x720"]),
                "camera": st.just({"pan": 0.5}),
                "extra": st.just({"generate_audio": False}),
            },
        ),
    },
)


@given(requests, st.sampled_from([None, a_first_frame()]), st.booleans(), st.floats(1, 500))
def test_the_first_is_what_an_order_would_take_at_the_price_that_it_would_reserve(
    request: dict[str, Any], frame: FirstFrame | None, is_paused: bool, seconds: float
) -> None:
    healths = {"runway": a_health("runway", is_paused=is_paused, job_seconds=seconds, is_measured=True)}
    try:
        ordered = route(
            wanted(frame, **request).request, plans(wanted(frame, **request), LINE_UP), healths, NOW
        )
    except RequestRefused:
        ordered = ()
    found = asked(*healths.values(), frame=frame, **request)
    placed = [one for one in found if one.place is not None]
    assert [(one.provider, one.model, price_of(one)) for one in placed] == [
        (plan.provider, plan.model, plan.price) for plan in ordered
    ]
    assert [one.place for one in placed] == list(range(1, len(ordered) + 1))
    assert all((one.offer is None) <= bool(one.problems) for one in found), "who has no offer says why"


def test_what_costs_too_much_says_how_much_it_is() -> None:
    found = asked(max_cost_usd="0.26")
    assert [one.model for one in found if one.is_possible] == [PRO]
    dear = by_model(found)["gen4.5"]
    assert (codes(dear), price_of(dear), dear.place) == (["over_max_cost"], 600_000, None)
    assert dear.offer is not None
    assert fits(wanted(max_cost_usd="0.26"), dear.offer) is False
    assert fits(wanted(max_cost_usd="0.60"), dear.offer) is True
    assert fits(wanted(), dear.offer) is None


def test_a_provider_that_is_named_comes_first_and_the_others_tell_their_prices() -> None:
    found = asked(provider="seedance", fallback_providers=[])
    assert [(one.place, one.provider) for one in found if one.place] == [(1, "seedance")]
    assert price_of(by_model(found)["gen4.5"]) == 600_000


def test_a_model_that_is_named_is_the_one_that_is_chosen() -> None:
    assert (found := asked(model=TWO)[0]).model == TWO
    assert found.place == 1


def test_nobody_who_could_serve_it_is_an_answer_with_every_reason() -> None:
    found = asked(params={"duration_seconds": 12, "resolution": "4k", "extra": {"loop": True}})
    assert not any(one.is_possible for one in found)
    assert codes(by_model(found)["gen4.5"]) == [
        "duration_not_supported",
        "resolution_not_supported",
        "unknown_option",
    ]
    assert by_model(found)["gen4.5"].problems[0].allowed == tuple(range(2, 11))


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"provider": "sora"}, "unknown_provider"),
        ({"fallback_providers": ["sora"]}, "unknown_provider"),
        ({"model": "gen9"}, "unknown_model"),
        ({"provider": "runway", "model": PRO}, "unknown_model"),
    ],
)
def test_what_is_not_there_is_refused(request_: dict[str, Any], code: str) -> None:
    with pytest.raises(RequestRefused) as refusal:
        asked(**request_)
    assert [problem.code for problem in refusal.value.problems] == [code]


def test_a_house_without_providers_says_so() -> None:
    with pytest.raises(RequestRefused, match="no provider is configured"):
        asked(at=())


def test_a_door_that_is_closed_is_no_offer() -> None:
    retired = STABLE_VIDEO.model_copy(update={"retired": RETIREMENT})
    (one,) = asked(at=(RUNWAY, retired), frame=a_first_frame())[2:]
    assert (one.model, codes(one), one.offer) == ("svd", ["retired"], None)


def test_times_are_measured_or_guessed_by_the_length_and_say_so() -> None:
    found = by_model(
        asked(a_health("seedance", job_seconds=31, is_measured=True), params={"duration_seconds": 10})
    )
    for model, seconds, is_measured in ((PRO, 31, True), (TWO, 31, True), ("gen4.5", 120, False)):
        offer = found[model].offer
        assert offer is not None
        assert (offer.making_seconds, offer.is_measured) == (seconds, is_measured)


def test_the_queue_is_waited_for_and_nobody_knows_how_long_a_pause_lasts() -> None:
    busy = a_health("runway", running=3, waiting=2, job_seconds=20, is_measured=True)
    found = by_model(asked(busy, a_health("seedance", is_paused=True)))
    queued, paused = found["gen4.5"].offer, found[PRO].offer
    assert queued is not None
    assert paused is not None
    assert (queued.wait_seconds, queued.making_seconds, queued.door) == (20 * 3 / 3, 20, Door.OPEN)
    assert (paused.wait_seconds, paused.door) == (None, Door.PAUSED)
    in_a_minute = wanted(deadline_seconds=60)
    assert in_time(in_a_minute, queued) is True
    assert in_time(wanted(deadline_seconds=39), queued) is False
    assert in_time(in_a_minute, paused) is None
    assert in_time(wanted(), queued) is None


def test_an_account_that_is_left_alone_comes_last_of_the_route() -> None:
    found = asked(broken("runway", seconds=30))
    assert [one.provider for one in found if one.place] == ["seedance", "runway"]
    offer = by_model(found)["gen4.5"].offer
    assert offer is not None
    assert (offer.door, offer.wait_seconds) == (Door.BROKEN, timedelta(seconds=30).total_seconds())


def cheaper(model: str, **request: Any) -> list[tuple[dict[str, Any], int]]:
    offer = by_model(asked(**request))[model].offer
    assert offer is not None
    return [(one.params, one.price) for one in offer.cheaper]


def test_the_same_for_less_is_told_the_cheapest_first() -> None:
    assert cheaper("gen4.5") == []
    assert cheaper(PRO) == [({"resolution": "480p"}, 122_513)]
    assert cheaper(PRO_15) == [
        ({"resolution": "480p"}, 121_532),
        ({"extra": {"generate_audio": False}}, 130_680),
    ]
    assert cheaper(PRO, params={"resolution": "1080p"}) == [
        ({"resolution": "480p"}, 122_513),
        ({"resolution": "720p"}, 259_545),
    ]
    assert cheaper(PRO, params={"resolution": "480p"}) == []
    quiet = {"extra": {"generate_audio": False, "watermark": True}}
    assert cheaper(PRO_15, params=quiet) == [({"resolution": "480p"}, 60_766)]


def test_what_is_cheaper_keeps_the_shape_also_where_pixels_said_it() -> None:
    (one,) = cheaper(PRO, params={"resolution": "704x1248"})
    assert one == ({"resolution": "480p", "aspect_ratio": "9:16"}, 122_513)
    params, price = one
    (chosen, *_) = asked(model=PRO, params=params)
    assert price_of(chosen) == price, "asking for it costs just that"


def test_nothing_cheaper_is_asked_of_a_request_that_cannot_be() -> None:
    assert by_model(asked(params={"resolution": "4k"}))[PRO].offer is None
