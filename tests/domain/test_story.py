"""Whatever goes wrong, in whatever order: what no decision about a take ever does."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.attempts.codes import (
    GATE_REFUSED,
    LOST_BEFORE_SENDING,
    SURELY_ABSENT,
    WAITED_TOO_LONG,
    WOKE_TOO_LATE,
)
from domain.attempts.failures import Category
from domain.attempts.outcomes import AttemptState
from domain.attempts.recovery import Again, decide
from domain.attempts.story import Past, Story
from domain.generation import Cost
from domain.orders.request import OnContentPolicy, OnUnknownSubmission
from tests.domain.stories import ROUTE, a_health, a_past, a_story
from tests.factories import NOW

FINAL_THERE = {
    Category.VALIDATION,
    Category.AUTH,
    Category.QUOTA,
    Category.RETIRED,
    Category.CONTENT_POLICY,
    Category.TIMEOUT,
}
MOST_ATTEMPTS = 40

seconds = st.integers(-600, 600).map(lambda number: NOW + timedelta(seconds=number))
accounts = st.sampled_from([plan.provider for plan in ROUTE])
money = st.sampled_from([0, 50_000, 600_000])
codes = st.sampled_from(
    ["http_500", LOST_BEFORE_SENDING, WOKE_TOO_LATE, SURELY_ABSENT, GATE_REFUSED, WAITED_TOO_LONG]
)
healths = st.builds(
    a_health,
    accounts,
    is_paused=st.booleans(),
    breaker_until=st.none() | seconds,
    hold_off_until=st.none() | seconds,
    running=st.integers(0, 4),
    waiting=st.integers(0, 20),
)
pasts = st.builds(
    a_past,
    st.sampled_from(Category),
    accounts,
    code=codes,
    state=st.sampled_from([state for state in AttemptState if state is not AttemptState.QUEUED]),
    retry_after_seconds=st.none() | st.floats(),
    cost=st.builds(Cost, settled=money, at_risk=money),
    ended_at=seconds,
    may_still_be_billed=st.booleans(),
    was_paid=st.booleans(),
)
plain_pasts = st.builds(a_past, st.sampled_from(Category), accounts, code=codes)
"""Such as cost nothing."""

harmless_pasts = st.builds(
    a_past,
    st.sampled_from([Category.NETWORK, Category.CAPACITY, Category.RATE_LIMIT, Category.VALIDATION]),
    accounts,
    code=codes,
    state=st.sampled_from([AttemptState.ABANDONED, AttemptState.REJECTED]),
    retry_after_seconds=st.none() | st.floats(0, 120),
    cost=st.builds(Cost, settled=st.sampled_from([0, 0, 600_000])),
    ended_at=seconds,
)
"""Such as most stories go on after."""

stories = st.builds(
    lambda attempts, known, **changes: a_story(*attempts, healths=tuple(known), **changes),
    st.one_of(
        st.lists(plain_pasts, min_size=1, max_size=3),
        st.lists(harmless_pasts, min_size=1, max_size=6),
        st.lists(plain_pasts | pasts, min_size=1, max_size=8),
    ),
    st.lists(healths, max_size=3),
    route=st.just(ROUTE)
    | st.builds(lambda plans, kept: tuple(plans[:kept]), st.permutations(ROUTE), st.integers(0, 3)),
    max_cost=st.none() | st.integers(0, 10_000_000),
    deadline=st.none() | seconds,
    on_unknown_submission=st.sampled_from(OnUnknownSubmission),
    on_content_policy=st.sampled_from(OnContentPolicy),
    retry_delay=st.sampled_from([timedelta(0), timedelta(seconds=30), timedelta(hours=1)]),
)


def is_really_its_own(past: Past) -> bool:
    """Whether the account, or what was sent there, is to blame."""
    return past.code == "http_500" or not past.made_no_job


@settings(max_examples=100)
@given(stories)
def test_a_further_attempt_is_one_of_the_route_that_nothing_speaks_against(story: Story) -> None:
    decision = decide(story)
    assert decision.reason.endswith(".")
    if not isinstance(decision, Again):
        return
    assert decision.plan in story.route
    before = [past for past in story.attempts if past.account == decision.plan.provider]
    assert not FINAL_THERE & {past.category for past in before if is_really_its_own(past)}
    assert decision.not_before >= story.now
    assert story.deadline is None or decision.not_before < story.deadline


@settings(max_examples=100)
@given(stories, st.sampled_from([0, 259_999, 260_000, 599_999, 600_000, 2_000_000]))
def test_no_attempt_is_made_that_could_exceed_the_ceiling(story: Story, room: int) -> None:
    spent = sum(past.cost.settled + past.cost.at_risk for past in story.attempts)
    decision = decide(story.model_copy(update={"max_cost": spent + room}))
    if isinstance(decision, Again):
        assert decision.plan.price <= room


@settings(max_examples=100)
@given(stories)
def test_without_a_ceiling_nothing_is_paid_twice_unless_the_caller_agreed(story: Story) -> None:
    unlimited = story.model_copy(
        update={"max_cost": None, "on_unknown_submission": "hold", "on_content_policy": "fail"}
    )
    if isinstance(decide(unlimited), Again):
        assert not any(past.may_still_be_billed or past.was_paid for past in story.attempts)


@settings(max_examples=100)
@given(stories, st.sampled_from([AttemptState.SENDING, AttemptState.UNKNOWN]))
def test_what_may_have_arrived_is_never_sent_again_under_hold(story: Story, state: AttemptState) -> None:
    lost = story.last.model_copy(update={"state": state})
    held = story.model_copy(
        update={"attempts": (*story.attempts[:-1], lost), "on_unknown_submission": OnUnknownSubmission.HOLD}
    )
    assert not isinstance(decide(held), Again)


@settings(max_examples=100)
@given(stories)
def test_refused_content_is_never_shown_to_the_same_account_again(story: Story) -> None:
    refused = a_past(Category.CONTENT_POLICY, story.last.account)
    told = story.model_copy(update={"attempts": (*story.attempts, refused)})
    decision = decide(told)
    if isinstance(decision, Again):
        assert decision.plan.provider != refused.account
        assert told.on_content_policy is OnContentPolicy.NEXT


@given(stories)
def test_the_same_story_has_the_same_sequel(story: Story) -> None:
    assert decide(story) == decide(Story.model_validate(story.model_dump()))


@settings(max_examples=50)
@given(stories, st.lists(plain_pasts, min_size=MOST_ATTEMPTS, max_size=MOST_ATTEMPTS))
def test_every_take_comes_to_an_end(story: Story, failures: list[Past]) -> None:
    story = story.model_copy(update={"attempts": story.attempts[:1]})
    for made, failure in enumerate(failures, start=1):
        decision = decide(story)
        if not isinstance(decision, Again):
            return
        now = decision.not_before + timedelta(seconds=1)
        following = failure.model_copy(
            update={"number": made + 1, "account": decision.plan.provider, "ended_at": now}
        )
        story = story.model_copy(update={"attempts": (*story.attempts, following), "now": now})
    raise AssertionError(f"{MOST_ATTEMPTS} attempts were not enough")


@given(st.sampled_from(Category), codes)
def test_a_failure_that_comes_again_and_again_ends_a_take_soon(category: Category, code: str) -> None:
    story, made = a_story(a_past(category, code=code)), 1
    while isinstance(decision := decide(story), Again):
        now, made = decision.not_before + timedelta(seconds=1), made + 1
        same = a_past(category, decision.plan.provider, code=code, number=made, ended_at=now)
        story = story.model_copy(update={"attempts": (*story.attempts, same), "now": now})
    assert made <= 6 * len(ROUTE)
