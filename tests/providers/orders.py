"""Sending an order in a test, and counting the permissions that it took."""

from domain.attempts.outcomes import JobState, JobStatus, SubmitResult
from providers.base import JobOrder
from providers.runway.account import Runway
from tests.factories import a_plan

REFERENCE = "gen_01jdb2v8gqkx3n5m7p9rstvwyz.1.1"


QUEUED, RUNNING = JobStatus(state=JobState.QUEUED), JobStatus(state=JobState.RUNNING)


class Permission:
    """A `before_write` that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self) -> None:
        self.asked += 1


def a_job_order(**changes: object) -> JobOrder:
    return JobOrder(plan=a_plan(**changes), client_reference=REFERENCE)


async def submitted(runway: Runway, permission: Permission | None = None, **changes: object) -> SubmitResult:
    """Submit an order for a fox, changed as told."""
    return await runway.submit(a_job_order(**changes), permission or Permission())
