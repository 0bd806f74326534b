"""An operator's own prices: of the models that are named, and of no other."""

from datetime import date

from domain.costs.prices import ModelPrice, PerSecond, PerVideo, Rate
from domain.costs.pricing import repriced, resolutions, unpriced
from domain.orders.line_up.runway import RUNWAY
from domain.orders.line_up.seedance import SEEDANCE
from tests.domain.planned import planned

CHEAP = ModelPrice(price=PerVideo(micros=70_000), read_on=date(2026, 11, 1), is_certain=False)


def test_a_model_that_is_named_costs_what_is_said_in_every_mode_and_the_others_what_they_did() -> None:
    facts = repriced(RUNWAY, {"gen4.5": CHEAP})
    assert planned(at=[facts], model="gen4.5", params={"duration_seconds": 10}).price == 70_000
    changed, same = facts.models
    assert same == RUNWAY.models[1]
    for one in changed.capabilities:
        assert (one.price, one.price_is_certain, one.price_read) == (CHEAP.price, False, date(2026, 11, 1))
    assert changed.facts_read == RUNWAY.models[0].facts_read, "the limits were read when they were"


def test_nothing_said_changes_nothing() -> None:
    assert repriced(RUNWAY, {}) == RUNWAY


def test_what_a_price_may_tell_apart_are_names_and_pixels_where_there_is_none() -> None:
    assert resolutions(SEEDANCE.models[2]) == ("720p", "480p", "1080p", "4k")
    assert resolutions(RUNWAY.models[0]) == ("720p", "1104x832", "960x960", "832x1104", "1584x672")


def test_a_resolution_without_a_rate_is_told() -> None:
    rates = tuple(Rate(resolution=name, micros=1) for name in ("720p", "4k"))
    price = ModelPrice(price=PerSecond(micros=0, rates=rates))
    assert unpriced(SEEDANCE.models[2], price) == ("480p", "1080p")
