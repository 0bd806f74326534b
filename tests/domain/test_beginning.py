"""At which account a take begins."""

import pytest

from domain.attempts.recovery import begin
from domain.attempts.routing import Health
from tests.domain.stories import (
    GOOGLE,
    ROUTE,
    RUNWAY,
    SECOND,
    a_health,
    a_queue,
    broken,
)
from tests.factories import NOW

PAUSED = a_health("runway", is_paused=True)


@pytest.mark.parametrize(
    ("healths", "at"),
    [
        ([], "runway"),
        ([broken("runway")], "seedance"),
        ([PAUSED], "seedance"),
        ([PAUSED, broken("seedance")], "google"),
        ([PAUSED, broken("seedance"), broken("google")], "runway"),
        ([a_queue("runway", 2)], "runway"),
        ([a_queue("runway", 3)], "seedance"),
        ([a_queue("runway", 3), broken("seedance"), broken("google")], "runway"),
        ([a_queue("runway", 3), a_queue("seedance", 4), a_queue("google", 5)], "runway"),
        ([a_queue("runway", 5), a_queue("seedance", 4), a_queue("google", 5)], "seedance"),
        ([a_health("runway", hold_off_until=NOW + 60 * SECOND)], "runway"),
        ([a_health("runway", hold_off_until=NOW + 61 * SECOND)], "seedance"),
    ],
)
def test_a_take_begins_at_the_first_open_door_without_a_long_queue(healths: list[Health], at: str) -> None:
    assert begin(ROUTE, {health.account: health for health in healths}, None, NOW).provider == at


def test_a_take_begins_where_it_can_be_paid() -> None:
    assert begin((GOOGLE, RUNWAY), {}, RUNWAY.price, NOW) == RUNWAY
    assert begin((GOOGLE, RUNWAY), {"runway": PAUSED}, RUNWAY.price, NOW) == RUNWAY
    assert begin((GOOGLE,), {}, RUNWAY.price, NOW) == GOOGLE
