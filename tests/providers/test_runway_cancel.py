"""One verb cancels and destroys; each answer to it has one meaning. And Runway cannot be asked for lost jobs."""

import pytest

from domain.attempts.outcomes import CancelReply, JobState, JobStatus
from providers.base import CannotAsk, ProviderError
from tests.factories import NOW
from tests.providers.orders import QUEUED, RUNNING, a_job_order, submitted
from tests.providers.raw import answers, raw_server, runway_at, sends
from tests.sandbox.live import LiveSandbox


@pytest.mark.parametrize(
    ("status", "reply"),
    [
        *((200, CancelReply.STOPPED), (202, CancelReply.STOPPED), (204, CancelReply.STOPPED)),
        *((404, CancelReply.GONE), (409, CancelReply.REFUSED)),
    ],
)
@pytest.mark.parametrize("seen", [QUEUED, RUNNING])
async def test_each_clear_answer_to_a_cancel(status: int, reply: CancelReply, seen: JobStatus) -> None:
    async with raw_server(answers(status, {})) as server, runway_at(server.url) as runway:
        assert await runway.cancel("t", seen) is reply
    assert server.head.startswith("DELETE /v1/tasks/t HTTP/1.1\r\n")


@pytest.mark.parametrize("status", [302, 400, 401, 405, 429, 500, 502, 503, 504])
async def test_any_other_answer_leaves_it_open_whether_the_job_stopped(status: int) -> None:
    async with raw_server(answers(status, {})) as server, runway_at(server.url) as runway:
        with pytest.raises(ProviderError):
            await runway.cancel("t", RUNNING)
    assert server.requests == 1


async def test_a_lost_answer_leaves_it_open_whether_the_job_stopped() -> None:
    async with raw_server(sends(b"HTTP/1.1 20")) as server, runway_at(server.url) as runway:
        with pytest.raises(ProviderError):
            await runway.cancel("t", RUNNING)
    assert server.requests == 1


async def test_a_cancelled_job_is_gone_and_a_second_cancel_finds_nothing(sandbox: LiveSandbox) -> None:
    async with runway_at(sandbox.base_url) as runway:
        await submitted(runway, prompt="A fox [sandbox:stuck]")
        (job,) = sandbox.jobs()
        assert await runway.cancel(job["job_id"], RUNNING) is CancelReply.STOPPED
        assert (await runway.status(job["job_id"])).state is JobState.GONE
        assert await runway.cancel(job["job_id"], RUNNING) is CancelReply.GONE
    assert sandbox.jobs()[0]["state"] == "cancelled"


@pytest.mark.parametrize(("state", "billed"), [(JobState.RUNNING, True), (JobState.QUEUED, False)])
async def test_only_a_running_job_is_billed_when_it_is_stopped(state: JobState, billed: bool) -> None:
    async with runway_at("http://127.0.0.1:9") as runway:
        assert runway.cancel_is_billed(JobStatus(state=state)) is billed


async def test_a_lost_job_cannot_be_looked_up() -> None:
    async with runway_at("http://127.0.0.1:9") as runway:
        with pytest.raises(CannotAsk):
            await runway.find(a_job_order(), NOW)
