"""What each provider says at the end of a job, and what the job costs: row by row, from the wire to the three numbers.

The order is always priced at 60 cents. What a provider reports is the truth, be it more or less; what it cannot mean is
no report.
"""

import math
from typing import Any

import httpx
import pytest

from domain.attempts.outcomes import JobStatus
from domain.costs.billing import bill_of
from domain.generation import Cost
from providers.runway import tasks as runway_tasks
from providers.seedance import tasks as seedance_tasks
from providers.stable_video.answers import read_result

PRICE = 600_000
NO_CREDITS: list[Any] = [-1, -60, True, "60", None, [60], math.nan, math.inf, 1e300, 10**12, 10**7]
NO_TOKENS: list[Any] = [0, -1, True, "108900", 1.5, math.nan, math.inf, 10**8 + 1, 10**400, None, []]
NO_OBJECT: list[Any] = [60, "60", [], None]
SETTLED, AT_RISK, FREE = Cost(settled=PRICE), Cost(at_risk=PRICE), Cost()


def paid(micros: int) -> Cost:
    return Cost(settled=micros)


@pytest.mark.parametrize(
    ("task", "bill"),
    [
        # What it says counts, whatever became of the task.
        ({"status": "SUCCEEDED", "cost": {"credits": 60}}, paid(600_000)),
        ({"status": "SUCCEEDED", "cost": {"credits": 24}}, paid(240_000)),
        ({"status": "SUCCEEDED", "cost": {"credits": 120}}, paid(1_200_000)),
        ({"status": "SUCCEEDED", "cost": {"credits": 0}}, FREE),
        ({"status": "FAILED", "failureCode": "SAFETY.INPUT.TEXT", "cost": {"credits": 60}}, SETTLED),
        ({"status": "FAILED", "failureCode": "SAFETY.INPUT.TEXT", "cost": {"credits": 0}}, FREE),
        ({"status": "FAILED", "failureCode": "INTERNAL", "cost": {"credits": 12}}, paid(120_000)),
        ({"status": "CANCELLED", "cost": {"credits": 60}}, SETTLED),
        ({"status": "CANCELLED", "cost": {"credits": 0}}, FREE),
        # Where it says nothing, its terms do; where those say nothing, nobody knows.
        ({"status": "SUCCEEDED"}, SETTLED),
        ({"status": "SUCCEEDED", "estimatedCost": {"credits": 999}}, SETTLED),
        ({"status": "FAILED", "failureCode": "SAFETY.INPUT.TEXT"}, SETTLED),
        ({"status": "FAILED", "failureCode": "SAFETY.OUTPUT.VIDEO"}, FREE),
        ({"status": "FAILED", "failureCode": "INTERNAL.BAD_OUTPUT.CODE01"}, FREE),
        ({"status": "FAILED", "failureCode": "INTERNAL"}, AT_RISK),
        ({"status": "FAILED", "failureCode": "ASSET.INVALID"}, AT_RISK),
        ({"status": "FAILED"}, AT_RISK),
        ({"status": "CANCELLED"}, AT_RISK),
        # What cannot be is no report.
        *(({"status": "SUCCEEDED", "cost": {"credits": absurd}}, SETTLED) for absurd in NO_CREDITS),
        *(({"status": "SUCCEEDED", "cost": absurd}, SETTLED) for absurd in NO_OBJECT),
        ({"status": "CANCELLED", "cost": {"credits": -1}}, AT_RISK),
        ({"status": "FAILED", "failureCode": "SAFETY.OUTPUT.VIDEO", "cost": {"credits": 1e300}}, FREE),
    ],
)
def test_runway(task: dict[str, Any], bill: Cost) -> None:
    assert bill_of(PRICE, runway_tasks.read_task(task)) == bill


PRO = "seedance-1-0-pro-250528"


@pytest.mark.parametrize(
    ("task", "bill"),
    [
        # Tokens are what is billed, and nothing but a video that was made.
        ({"status": "succeeded", "usage": {"total_tokens": 108_900}}, paid(272_250)),
        ({"status": "succeeded", "usage": {"completion_tokens": 108_900}}, paid(272_250)),
        ({"status": "succeeded", "usage": {"total_tokens": 480_000}}, paid(1_200_000)),
        ({"status": "failed", "error": {"code": "InternalServiceError", "message": "x"}}, FREE),
        ({"status": "failed", "usage": {"total_tokens": 108_900}}, FREE),
        ({"status": "cancelled"}, FREE),
        ({"status": "expired"}, FREE),
        # Where it says nothing that can be, the video costs its price.
        ({"status": "succeeded"}, SETTLED),
        ({"status": "succeeded", "model": "ep-of-ones-own", "usage": {"total_tokens": 108_900}}, SETTLED),
        *(({"status": "succeeded", "usage": {"total_tokens": absurd}}, SETTLED) for absurd in NO_TOKENS),
        *(({"status": "succeeded", "usage": absurd}, SETTLED) for absurd in NO_OBJECT),
    ],
)
def test_seedance(task: dict[str, Any], bill: Cost) -> None:
    assert bill_of(PRICE, seedance_tasks.read_task({"model": PRO} | task)) == bill


def made(**headers: str) -> JobStatus:
    answer = httpx.Response(200, headers={"content-type": "video/mp4", **headers}, content=b"")
    return read_result(answer, "https://a.example/video")


@pytest.mark.parametrize(
    ("look", "bill"),
    [
        (made(), SETTLED),
        (made(**{"finish-reason": "SUCCESS"}), SETTLED),
        (made(**{"finish-reason": "CONTENT_FILTERED"}), AT_RISK),
    ],
    ids=["made", "made, as it says", "made and held back: its terms do not say"],
)
def test_stable_video_says_nothing_of_money(look: JobStatus, bill: Cost) -> None:
    assert look.cost is None
    assert bill_of(PRICE, look) == bill
