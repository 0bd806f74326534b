"""What a person can do now: only what would not be refused."""

import pytest

from domain.actions import Action, actions_at_end, actions_of
from domain.status import TERMINAL, Move, Status, allowed_from
from tests.factories import NOW, a_generation, a_take, a_video

RUNNING = sorted(set(Status) - TERMINAL)
ENDED = sorted(TERMINAL)
WITH_VIDEO = (Action.KEEP, Action.FEEDBACK)


@pytest.mark.parametrize("status", RUNNING)
def test_what_runs_can_be_cancelled_and_replaced(status: Status) -> None:
    assert actions_of(a_generation(a_take(status=status))) == (Action.CANCEL, Action.REPLACE)


@pytest.mark.parametrize("status", RUNNING)
def test_what_is_being_cancelled_can_only_be_replaced(status: Status) -> None:
    take = a_take(status=status, cancel_requested_at=NOW)
    assert actions_of(a_generation(take)) == (Action.REPLACE,)


@pytest.mark.parametrize("status", ENDED)
@pytest.mark.parametrize("cancelled_at", [None, NOW])
def test_what_is_over_can_be_made_again_or_deleted(status: Status, cancelled_at: object) -> None:
    take = a_take(status=status, cancel_requested_at=cancelled_at)
    assert actions_of(a_generation(take)) == (Action.REGENERATE, Action.DELETE)


@pytest.mark.parametrize("status", ENDED)
def test_a_video_can_be_kept_and_rated(status: Status) -> None:
    take = a_take(status=status, video=a_video())
    assert actions_of(a_generation(take)) == (Action.REGENERATE, *WITH_VIDEO, Action.DELETE)


def test_the_video_of_an_earlier_take_can_be_kept_and_rated_while_the_next_one_is_made() -> None:
    earlier, later = a_take(status=Status.COMPLETED, video=a_video()), a_take(status=Status.PROCESSING)
    assert actions_of(a_generation(earlier, later)) == (Action.CANCEL, Action.REPLACE, *WITH_VIDEO)


def test_a_cancel_of_an_earlier_take_does_not_bind_the_next_one() -> None:
    earlier = a_take(status=Status.CANCELLED, cancel_requested_at=NOW)
    assert Action.CANCEL in actions_of(a_generation(earlier, a_take(status=Status.PENDING)))


@pytest.mark.parametrize("status", ENDED)
@pytest.mark.parametrize("has_video", [True, False])
def test_the_actions_of_an_end_are_those_that_are_shown_afterwards(status: Status, has_video: bool) -> None:
    shown = actions_of(a_generation(a_take(status=status, video=a_video() if has_video else None)))
    assert actions_at_end(status, has_video=has_video) == shown


@pytest.mark.parametrize("status", Status)
def test_a_next_take_is_offered_by_the_name_of_the_move_that_is_allowed(status: Status) -> None:
    offered = actions_of(a_generation(a_take(status=status)))
    assert (Action.REGENERATE in offered) is (status in allowed_from(Move.REGENERATE))
    assert (Action.REPLACE in offered) is (status in allowed_from(Move.REPLACE))
    assert (Action.CANCEL in offered) is (status in allowed_from(Move.CANCEL))
