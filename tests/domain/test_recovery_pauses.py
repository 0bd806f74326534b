"""How long a take waits: after what went wrong, after what is nobody's fault, and when gates send it away."""

from datetime import timedelta

import pytest

from domain.attempts.codes import (
    CANCELLED_BEFORE_SENDING,
    GATE_REFUSED,
    LOST_BEFORE_SENDING,
    SURELY_ABSENT,
    WAITED_TOO_LONG,
    WOKE_TOO_LATE,
)
from domain.attempts.failures import Category
from domain.attempts.outcomes import AttemptState
from domain.attempts.recovery import Again, End, Strategy, decide
from tests.domain.stories import (
    BASE,
    GOOGLE,
    RUNWAY,
    SECOND,
    SEEDANCE,
    a_health,
    a_lost_one,
    a_past,
    a_queue,
    a_story,
    again,
    broken,
    end,
    gist,
    sent_away,
)
from tests.factories import NOW, a_failure

BUSY = (Category.NETWORK, Category.SERVER_ERROR)
NOBODYS_FAULT = [LOST_BEFORE_SENDING, WOKE_TOO_LATE, SURELY_ABSENT]
SENT_AWAY = [GATE_REFUSED, WAITED_TOO_LONG]
RETRY, FALLBACK, QUEUE_DELAY, STOP = Strategy.RETRY, Strategy.FALLBACK, Strategy.QUEUE_DELAY, Strategy.STOP


@pytest.mark.parametrize("category", BUSY)
def test_a_backoff_doubles_and_is_spread_by_a_fifth(category: Category) -> None:
    for times, pause in ((1, BASE), (2, 2 * BASE)):
        waits = {
            again(a_story(*[a_past(category)] * times, take_ref=f"gen_{n}.1")).not_before - NOW
            for n in range(200)
        }
        assert 0.8 * pause <= min(waits) < 0.85 * pause
        assert 1.15 * pause < max(waits) <= 1.2 * pause


def test_a_backoff_is_the_same_whenever_it_is_decided() -> None:
    failed = a_past(Category.NETWORK)
    first = again(a_story(failed))
    later = again(a_story(failed, now=NOW + 5 * SECOND))
    assert (first.not_before, first.plan) == (later.not_before, later.plan)


def test_a_pause_never_exceeds_five_minutes() -> None:
    for number in range(50):
        story = a_story(a_past(Category.NETWORK), take_ref=f"gen_{number}.1", retry_delay=timedelta(hours=1))
        assert timedelta(minutes=4) <= again(story).not_before - NOW <= timedelta(minutes=5)


def test_nobody_waits_for_a_moment_that_has_passed() -> None:
    late = NOW + timedelta(hours=1)
    decision = again(a_story(a_past(Category.NETWORK), now=late))
    assert decision.not_before == late
    assert decision.reason == "Runway could not be reached; trying again there."


@pytest.mark.parametrize(
    ("base", "pause"), [(BASE, 15 * SECOND), (20 * SECOND, 10 * SECOND), (timedelta(0), timedelta(0))]
)
def test_an_overloaded_provider_gets_a_little_time(base: timedelta, pause: timedelta) -> None:
    assert again(a_story(a_past(Category.CAPACITY), retry_delay=base)).not_before == NOW + pause


@pytest.mark.parametrize("category", [Category.RATE_LIMIT, Category.CAPACITY, Category.SERVER_ERROR])
@pytest.mark.parametrize("asked", [50.0, 59.5])
def test_what_the_provider_asks_for_is_waited_to_the_letter(category: Category, asked: float) -> None:
    decision = again(a_story(a_past(category, retry_after_seconds=asked)))
    assert (decision.plan, decision.not_before) == (RUNWAY, NOW + timedelta(seconds=asked))


def test_a_shorter_wait_than_the_backoff_is_asked_for_in_vain() -> None:
    asked = again(a_story(a_past(Category.SERVER_ERROR, retry_after_seconds=1)))
    assert asked.not_before == again(a_story(a_past(Category.SERVER_ERROR))).not_before


def test_one_that_is_too_fast_without_being_told_when_backs_off() -> None:
    wait = again(a_story(a_past(Category.RATE_LIMIT))).not_before - NOW
    assert 0.8 * BASE <= wait <= 1.2 * BASE


@pytest.mark.parametrize("category", [Category.RATE_LIMIT, Category.CAPACITY, Category.SERVER_ERROR])
def test_a_long_wait_is_left_to_those_who_cannot_go_elsewhere(category: Category) -> None:
    failed = a_past(category, retry_after_seconds=61)
    assert gist(decide(a_story(failed))) == (FALLBACK, "seedance")
    alone = again(a_story(failed, route=(RUNWAY,)))
    assert (alone.plan, alone.not_before) == (RUNWAY, NOW + 61 * SECOND)


def test_a_long_wait_is_better_than_a_longer_queue_elsewhere() -> None:
    failed = a_past(Category.RATE_LIMIT, retry_after_seconds=90)
    for waiting, at in ((1, "seedance"), (9, "runway")):
        assert (
            again(
                a_story(failed, route=(RUNWAY, SEEDANCE), healths=(a_queue("seedance", waiting),))
            ).plan.provider
            == at
        )


@pytest.mark.parametrize("asked", [3601, 1e300, float("inf"), float("nan")])
def test_who_asks_for_more_than_an_hour_is_of_no_more_use(asked: float) -> None:
    failed = a_past(Category.RATE_LIMIT, retry_after_seconds=asked)
    assert gist(decide(a_story(failed))) == (FALLBACK, "seedance")
    assert gist(decide(a_story(failed, route=(RUNWAY,)))) == (STOP, None)


@pytest.mark.parametrize("asked", [-5, float("-inf")])
def test_a_wait_of_less_than_nothing_is_none(asked: float) -> None:
    assert (
        again(a_story(a_past(Category.CAPACITY, retry_after_seconds=asked))).not_before == NOW + 15 * SECOND
    )


@pytest.mark.parametrize("code", NOBODYS_FAULT)
def test_what_is_nobodys_fault_is_made_good_at_once_and_then_ever_more_slowly(code: str) -> None:
    decisions = [decide(a_story(*[a_lost_one(code)] * times)) for times in range(1, 12)]
    pauses = [(one.not_before - NOW) / SECOND for one in decisions if isinstance(one, Again)]
    assert pauses == [0, 1, 3, 7, 15, 31, 63, 127, 255]
    assert {gist(one) for one in decisions[:9]} == {(RETRY, "runway")}
    assert {gist(one) for one in decisions[9:]} == {(STOP, None)}


@pytest.mark.parametrize("code", NOBODYS_FAULT)
def test_what_is_nobodys_fault_is_no_retry(code: str) -> None:
    lost = [a_lost_one(code)] * 3
    assert gist(decide(a_story(a_past(), *lost, a_past()))) == (RETRY, "runway")
    assert gist(decide(a_story(a_past(), a_past(), *lost))) == (RETRY, "runway")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (LOST_BEFORE_SENDING, "The sender was lost before it sent anything to Runway; trying again there."),
        (WOKE_TOO_LATE, "The sender was held up and sent nothing to Runway; trying again there."),
        (
            SURELY_ABSENT,
            "Runway has no job of this order, so nothing can be paid twice; trying again there.",
        ),
    ],
)
def test_the_reason_for_sending_again_is_told(code: str, reason: str) -> None:
    assert again(a_story(a_lost_one(code))).reason == reason


def test_what_surely_never_arrived_is_sent_again() -> None:
    absent = a_past(Category.NETWORK, code=SURELY_ABSENT, state=AttemptState.ABSENT)
    assert gist(decide(a_story(absent))) == (RETRY, "runway")


@pytest.mark.parametrize("code", [*NOBODYS_FAULT, *SENT_AWAY])
def test_our_own_codes_in_a_providers_mouth_mean_nothing(code: str) -> None:
    answered = a_past(Category.VALIDATION, code=code, state=AttemptState.REJECTED)
    assert gist(decide(a_story(answered))) == (FALLBACK, "seedance")


def test_a_cancelled_attempt_is_the_end_of_it() -> None:
    cancelled = a_lost_one(CANCELLED_BEFORE_SENDING)
    assert end(a_story(cancelled)) == End(
        strategy=STOP, reason="It did not work.", failure=a_failure(Category.NETWORK, code=cancelled.code)
    )


@pytest.mark.parametrize("code", SENT_AWAY)
def test_who_is_sent_away_goes_where_it_is_quicker(code: str) -> None:
    runway = broken("runway", 120) if code == GATE_REFUSED else a_queue("runway", 5)
    for waiting, at in ((4, "seedance"), (5, "runway")):
        story = a_story(
            sent_away(code), healths=(runway, a_queue("seedance", waiting)), route=(RUNWAY, SEEDANCE)
        )
        assert again(story).plan.provider == at
    for closed in (broken("seedance", 1), a_health("seedance", is_paused=True)):
        story = a_story(sent_away(code), healths=(runway, closed), route=(RUNWAY, SEEDANCE))
        assert gist(decide(story)) == (QUEUE_DELAY, "runway")


def test_who_is_sent_away_by_a_breaker_waits_for_it_where_there_is_nobody_else() -> None:
    waiting = again(a_story(sent_away(GATE_REFUSED), healths=(broken("runway", 40),), route=(RUNWAY,)))
    assert (gist(waiting), waiting.not_before) == ((QUEUE_DELAY, "runway"), NOW + 40 * SECOND)
    assert waiting.reason == "Runway gets no orders after its last failures; trying again there in 40 s."


@pytest.mark.parametrize("code", SENT_AWAY)
def test_who_is_sent_away_by_an_open_door_joins_it_again_at_once_and_then_ever_more_slowly(code: str) -> None:
    pauses = [
        (again(a_story(*[sent_away(code)] * times, route=(RUNWAY,))).not_before - NOW) / SECOND
        for times in range(1, 11)
    ]
    assert pauses == [0, 1, 3, 7, 15, 31, 63, 127, 255, 300]
    assert gist(decide(a_story(*[sent_away(code)] * 11, route=(RUNWAY,)))) == (STOP, None)


def test_a_gate_that_refuses_knows_better_than_a_row_that_says_its_door_is_open() -> None:
    story = a_story(sent_away(GATE_REFUSED), healths=(a_queue("seedance", 50),))
    assert again(story).plan == GOOGLE
    only_long = a_story(sent_away(GATE_REFUSED), healths=(a_queue("seedance", 50),), route=(RUNWAY, SEEDANCE))
    assert gist(decide(only_long)) == (FALLBACK, "seedance")


def test_being_sent_away_is_no_failure_of_the_account() -> None:
    away = [sent_away(GATE_REFUSED)] * 3
    assert gist(decide(a_story(*away, a_past(), a_past()))) == (RETRY, "runway")


def test_who_is_sent_away_comes_back_to_no_account_that_refused() -> None:
    story = a_story(
        a_past(Category.VALIDATION, "seedance"), sent_away(GATE_REFUSED), route=(RUNWAY, SEEDANCE)
    )
    assert gist(decide(story)) == (QUEUE_DELAY, "runway")
