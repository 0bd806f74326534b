"""What follows from a failed attempt, row by row; who goes on; and how it is told."""

from datetime import timedelta

import pytest
from pydantic import TypeAdapter

from domain.attempts.codes import GATE_REFUSED, LOST_BEFORE_SENDING
from domain.attempts.failures import Category, advice_for, is_retryable
from domain.attempts.recovery import MAX_ATTEMPTS, Decision, End, Strategy, decide
from domain.attempts.routing import Health
from domain.attempts.story import Past, Story
from tests.domain.stories import (
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
    paid,
    sent_away,
)
from tests.factories import NOW

BUSY = (Category.NETWORK, Category.SERVER_ERROR)
REFUSALS = (Category.VALIDATION, Category.AUTH, Category.QUOTA, Category.RETIRED)
PAUSED = a_health("runway", is_paused=True)
RETRY, FALLBACK, QUEUE_DELAY, STOP, HOLD, NOTIFY_USER = (
    Strategy.RETRY,
    Strategy.FALLBACK,
    Strategy.QUEUE_DELAY,
    Strategy.STOP,
    Strategy.HOLD,
    Strategy.NOTIFY_USER,
)

TABLE: list[tuple[Category, int, Strategy, str | None]] = [
    # what it was, how often in a row at Runway, what follows, where
    (Category.VALIDATION, 1, FALLBACK, "seedance"),
    (Category.AUTH, 1, FALLBACK, "seedance"),
    (Category.RATE_LIMIT, 1, QUEUE_DELAY, "runway"),
    (Category.RATE_LIMIT, 2, QUEUE_DELAY, "runway"),
    (Category.RATE_LIMIT, 3, FALLBACK, "seedance"),
    (Category.QUOTA, 1, FALLBACK, "seedance"),
    (Category.CAPACITY, 1, RETRY, "runway"),
    (Category.CAPACITY, 2, FALLBACK, "seedance"),
    (Category.CONTENT_POLICY, 1, STOP, None),
    (Category.NETWORK, 1, RETRY, "runway"),
    (Category.NETWORK, 2, RETRY, "runway"),
    (Category.NETWORK, 3, FALLBACK, "seedance"),
    (Category.SERVER_ERROR, 1, RETRY, "runway"),
    (Category.SERVER_ERROR, 2, RETRY, "runway"),
    (Category.SERVER_ERROR, 3, FALLBACK, "seedance"),
    (Category.TIMEOUT, 1, FALLBACK, "seedance"),
    (Category.SUBMISSION_UNKNOWN, 1, HOLD, None),
    (Category.BAD_OUTPUT, 1, RETRY, "runway"),
    (Category.BAD_OUTPUT, 2, FALLBACK, "seedance"),
    (Category.RETIRED, 1, FALLBACK, "seedance"),
]
ALONE: list[tuple[Category, int, Strategy, str | None]] = [
    # the same where nobody else may serve it
    (Category.VALIDATION, 1, STOP, None),
    (Category.AUTH, 1, NOTIFY_USER, None),
    (Category.RATE_LIMIT, 5, QUEUE_DELAY, "runway"),
    (Category.RATE_LIMIT, 6, STOP, None),
    (Category.QUOTA, 1, NOTIFY_USER, None),
    (Category.CAPACITY, 2, STOP, None),
    (Category.CONTENT_POLICY, 1, STOP, None),
    (Category.NETWORK, 3, STOP, None),
    (Category.SERVER_ERROR, 3, STOP, None),
    (Category.TIMEOUT, 1, STOP, None),
    (Category.SUBMISSION_UNKNOWN, 1, HOLD, None),
    (Category.BAD_OUTPUT, 2, STOP, None),
    (Category.RETIRED, 1, STOP, None),
]


@pytest.mark.parametrize(("category", "times", "strategy", "at"), TABLE)
def test_each_kind_of_failure_has_its_answer(
    category: Category, times: int, strategy: Strategy, at: str | None
) -> None:
    assert gist(decide(a_story(*[a_past(category)] * times))) == (strategy, at)


@pytest.mark.parametrize(("category", "times", "strategy", "at"), ALONE)
def test_where_nobody_else_may_serve_it_each_kind_has_its_end(
    category: Category, times: int, strategy: Strategy, at: str | None
) -> None:
    assert gist(decide(a_story(*[a_past(category)] * times, route=(RUNWAY,)))) == (strategy, at)


def test_the_tables_speak_of_every_category() -> None:
    assert {row[0] for row in TABLE} == {row[0] for row in ALONE} == set(Category)


def test_failures_of_several_kinds_are_counted_together() -> None:
    mixed = [a_past(Category.NETWORK), a_past(Category.CAPACITY), a_past(Category.BAD_OUTPUT)]
    assert gist(decide(a_story(*mixed[:2]))) == (RETRY, "runway")
    assert gist(decide(a_story(*mixed))) == (FALLBACK, "seedance")


def test_each_account_has_its_own_retries() -> None:
    runways = [a_past(Category.NETWORK)] * 3
    assert gist(decide(a_story(*runways, a_past(Category.NETWORK, "seedance")))) == (RETRY, "seedance")
    seedances = [a_past(Category.NETWORK, "seedance")] * 3
    assert gist(decide(a_story(*runways, *seedances))) == (FALLBACK, "google")


@pytest.mark.parametrize("category", [*REFUSALS, Category.TIMEOUT])
def test_who_failed_for_good_is_never_asked_again(category: Category) -> None:
    story = a_story(a_past(category), a_past(category, "seedance"), route=(RUNWAY, SEEDANCE))
    assert isinstance(decide(story), End)


def test_who_was_only_too_busy_may_be_asked_again_when_its_time_has_come() -> None:
    left = a_past(Category.RATE_LIMIT, retry_after_seconds=300)
    refused = a_past(Category.VALIDATION, "seedance")
    back = again(a_story(left, refused, route=(RUNWAY, SEEDANCE)))
    assert gist(back) == (QUEUE_DELAY, "runway")
    assert (back.not_before, back.reason) == (
        NOW + timedelta(seconds=300),
        "Seedance refused the input (some_code); going on with Runway in 5 min.",
    )
    in_time = again(a_story(left, refused, route=(RUNWAY, SEEDANCE), now=NOW + timedelta(minutes=6)))
    assert gist(in_time) == (FALLBACK, "runway")


def test_who_is_ready_is_preferred_to_who_asked_for_time() -> None:
    left = a_past(Category.RATE_LIMIT, retry_after_seconds=300)
    refused = a_past(Category.VALIDATION, "seedance")
    assert gist(decide(a_story(left, refused))) == (FALLBACK, "google")


@pytest.mark.parametrize("closed", [broken("seedance"), a_health("seedance", is_paused=True)])
def test_open_doors_are_preferred(closed: Health) -> None:
    assert gist(decide(a_story(a_past(Category.AUTH), healths=(closed,)))) == (FALLBACK, "google")


def test_short_queues_are_preferred() -> None:
    healths = (a_queue("seedance", 9), a_queue("google", 3))
    assert again(a_story(a_past(Category.AUTH), healths=healths)).plan == GOOGLE
    assert again(a_story(a_past(Category.AUTH), healths=(a_queue("seedance", 2),))).plan == SEEDANCE


def test_where_all_doors_are_closed_the_take_waits_for_the_first_to_open() -> None:
    healths = (a_health("seedance", is_paused=True), broken("google", 40))
    waiting = again(a_story(a_past(Category.AUTH), healths=healths))
    assert gist(waiting) == (QUEUE_DELAY, "google")
    assert waiting.not_before == NOW + 40 * SECOND


def test_a_paused_account_is_waited_for_in_its_queue() -> None:
    healths = (a_health("seedance", is_paused=True),)
    waiting = again(a_story(a_past(Category.AUTH), healths=healths, route=(RUNWAY, SEEDANCE)))
    assert (gist(waiting), waiting.not_before) == ((QUEUE_DELAY, "seedance"), NOW)
    assert waiting.reason == "Runway did not accept the service's key; waiting for Seedance, which is paused."


@pytest.mark.parametrize("category", [*BUSY, Category.CAPACITY, Category.BAD_OUTPUT])
@pytest.mark.parametrize("closed", [broken("runway", 400), PAUSED])
def test_a_closed_door_is_left_for_an_open_one_without_a_retry(category: Category, closed: Health) -> None:
    assert gist(decide(a_story(a_past(category), healths=(closed,)))) == (FALLBACK, "seedance")


@pytest.mark.parametrize("category", [*BUSY, Category.CAPACITY, Category.BAD_OUTPUT])
def test_a_closed_door_is_waited_for_where_there_is_no_other(category: Category) -> None:
    waiting = again(a_story(a_past(category), healths=(broken("runway", 400),), route=(RUNWAY,)))
    assert (gist(waiting), waiting.not_before) == ((QUEUE_DELAY, "runway"), NOW + timedelta(seconds=400))
    paused = again(a_story(a_past(category), healths=(PAUSED,), route=(RUNWAY,)))
    assert gist(paused) == (QUEUE_DELAY, "runway")
    assert paused.reason.endswith("; waiting until it is no longer paused.")


def test_an_account_that_left_the_route_is_not_tried_again() -> None:
    assert gist(decide(a_story(a_past(), route=(SEEDANCE,)))) == (FALLBACK, "seedance")
    assert gist(decide(a_story(a_past(), route=()))) == (STOP, None)


def test_refused_content_is_shown_to_the_next_provider_only_where_the_caller_allows_it() -> None:
    refused = a_past(Category.CONTENT_POLICY)
    assert end(a_story(refused)).reason == "Runway refused the content; the same is not sent to it again."
    assert gist(decide(a_story(refused, on_content_policy="next"))) == (FALLBACK, "seedance")
    both = (refused, a_past(Category.CONTENT_POLICY, "seedance"))
    assert gist(decide(a_story(*both, on_content_policy="next", route=(RUNWAY, SEEDANCE)))) == (STOP, None)


def test_a_refusal_that_was_billed_is_part_of_what_the_caller_allows() -> None:
    refused = paid(Category.CONTENT_POLICY, micros=50_000)
    assert gist(decide(a_story(refused, on_content_policy="next"))) == (FALLBACK, "seedance")
    assert gist(decide(a_story(refused, on_content_policy="next", max_cost=300_000))) == (STOP, None)


@pytest.mark.parametrize(
    ("failed", "reason"),
    [
        (a_past(Category.CAPACITY), "Runway answered that it is overloaded; trying again there in 15 s."),
        (a_past(Category.VALIDATION), "Runway refused the input (some_code); going on with Seedance."),
        (
            a_past(Category.RATE_LIMIT, retry_after_seconds=7),
            "Runway answered that orders come too fast; trying again there in 7 s.",
        ),
        (
            a_past(Category.RATE_LIMIT, retry_after_seconds=0.2),
            "Runway answered that orders come too fast; trying again there in 1 s.",
        ),
        (a_past(Category.BAD_OUTPUT), "The file of Runway was broken; trying again there."),
        (a_past(Category.TIMEOUT), "Runway took too long; going on with Seedance."),
    ],
)
def test_the_reason_says_what_happened_and_what_follows(failed: Past, reason: str) -> None:
    assert again(a_story(failed)).reason == reason


@pytest.mark.parametrize("category", Category)
def test_every_failure_has_its_words(category: Category) -> None:
    reason = end(a_story(a_past(category), deadline=NOW, route=(RUNWAY,))).reason
    assert "Runway" in reason
    assert "{" not in reason
    assert reason.endswith(".")


def test_the_failure_in_the_end_names_those_who_failed_before() -> None:
    story = a_story(
        *[a_past(Category.NETWORK)] * 3,
        sent_away(GATE_REFUSED, "google"),
        a_past(Category.QUOTA, "seedance"),
        route=(RUNWAY, SEEDANCE),
    )
    failure = end(story).failure
    assert (failure.category, failure.detail) == (
        Category.QUOTA,
        "It did not work. Before that: Runway could not be reached.",
    )


def test_a_take_is_given_up_after_many_attempts_whatever_they_died_of() -> None:
    many = [a_lost_one(LOST_BEFORE_SENDING), sent_away(GATE_REFUSED)] * (MAX_ATTEMPTS // 2)
    assert end(a_story(*many, a_past())).reason == (
        "Runway failed (some_code); after 35 attempts no further one is made."
    )


@pytest.mark.parametrize("story", [a_story(a_past()), a_story(a_past(Category.AUTH), route=(RUNWAY,))])
def test_a_decision_is_the_same_after_it_was_stored(story: Story) -> None:
    known: TypeAdapter[Decision] = TypeAdapter(Decision)
    decision = decide(story)
    assert known.validate_json(known.dump_json(decision)) == decision


def test_without_a_failure_there_is_nothing_to_decide() -> None:
    with pytest.raises(ValueError, match=r"attempt 1 of gen_fox\.1 was given up without a failure"):
        decide(a_story(a_past(failure=None)))


@pytest.mark.parametrize("category", Category)
def test_every_failure_comes_with_advice(category: Category) -> None:
    assert advice_for(category).endswith(".")


def test_an_unknown_submission_is_never_called_harmless_to_repeat() -> None:
    assert not is_retryable(Category.SUBMISSION_UNKNOWN)
    assert "second time" in advice_for(Category.SUBMISSION_UNKNOWN)
