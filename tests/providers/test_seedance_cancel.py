"""One verb cancels what waits and destroys what is over; each answer to it has one meaning."""

import pytest

from domain.attempts.outcomes import CancelReply, JobState, JobStatus
from providers.base import ProviderError
from tests.providers.orders import QUEUED
from tests.providers.raw import answers, raw_server, sends
from tests.providers.seedance_orders import PATH, error_body, seedance_at

LEFT_THE_QUEUE = "InvalidAction.RunningTaskDeletion"


@pytest.mark.parametrize(
    ("status", "body", "reply"),
    [
        *((200, {}, CancelReply.STOPPED), (200, b"", CancelReply.STOPPED), (204, None, CancelReply.STOPPED)),
        *((404, error_body("ResourceNotFound"), CancelReply.GONE), (404, b"", CancelReply.GONE)),
        *((409, error_body(LEFT_THE_QUEUE), CancelReply.REFUSED), (409, b"", CancelReply.REFUSED)),
        (400, error_body(LEFT_THE_QUEUE), CancelReply.REFUSED),
    ],
)
async def test_each_clear_answer_to_a_cancel(status: int, body: object, reply: CancelReply) -> None:
    async with raw_server(answers(status, body)) as server, seedance_at(server.url) as seedance:
        assert await seedance.cancel("cgt-1", QUEUED) is reply
    assert server.head.startswith(f"DELETE {PATH}/cgt-1 HTTP/1.1\r\n")
    assert server.requests == 1


@pytest.mark.parametrize("state", [state for state in JobState if state is not JobState.QUEUED])
@pytest.mark.parametrize("status", [200, 404, 409, 500])
async def test_only_a_task_that_waits_is_touched_since_a_finished_one_would_be_destroyed(
    state: JobState, status: int
) -> None:
    async with raw_server(answers(status, {})) as server, seedance_at(server.url) as seedance:
        assert await seedance.cancel("cgt-1", JobStatus(state=state)) is CancelReply.REFUSED
    assert (server.connections, server.requests) == (0, 0)


@pytest.mark.parametrize("status", [302, 400, 401, 405, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("code", ["InternalServiceError", "InvalidAction", None, 5])
async def test_any_other_answer_leaves_it_open_whether_the_task_stopped(status: int, code: object) -> None:
    async with raw_server(answers(status, error_body(code))) as server, seedance_at(server.url) as seedance:
        with pytest.raises(ProviderError):
            await seedance.cancel("t", QUEUED)
    assert server.requests == 1


async def test_a_lost_answer_leaves_it_open_whether_the_task_stopped() -> None:
    async with raw_server(sends(b"HTTP/1.1 20")) as server, seedance_at(server.url) as seedance:
        with pytest.raises(ProviderError):
            await seedance.cancel("t", QUEUED)
    assert server.requests == 1


@pytest.mark.parametrize("state", list(JobState))
async def test_nothing_that_can_be_stopped_is_billed(state: JobState) -> None:
    async with seedance_at("http://127.0.0.1:9") as seedance:
        assert seedance.cancel_is_billed(JobStatus(state=state)) is False
