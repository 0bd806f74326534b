"""Made-up rows of a chaos report: whole ones, of which a test says only what matters to it."""

from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]
BEGAN = 1_800_000_000.0


def a_job(reference: str, job_id: str | None = None, **changes: Any) -> Json:
    """A job of Runway that was made two seconds after the beginning and billed."""
    told = {
        "provider": "runway",
        "job_id": job_id or f"job-of-{reference}",
        "client_reference": reference,
        "created_at": BEGAN + 2,
        "ended_at": BEGAN + 3,
        "state": "succeeded",
        "billed_usd": 0.24,
    }
    return told | changes


def an_attempt(generation_id: str, take: int = 1, number: int = 1, **changes: Any) -> Json:
    """An attempt whose job made a video that was paid."""
    told = {
        "number": number,
        "job_id": f"job-of-{generation_id}.{take}.{number}",
        "outcome": "accepted",
        "cost": a_cost(settled="0.24"),
    }
    return told | changes


def an_unknown(generation_id: str, take: int = 1, number: int = 1, **changes: Any) -> Json:
    """An attempt whose answer was lost: its price is at risk."""
    told = {"job_id": None, "outcome": "unknown", "cost": a_cost(at_risk="0.24")}
    return an_attempt(generation_id, take, number, **{**told, **changes})


def a_cost(settled: str = "0.00", at_risk: str = "0.00") -> Json:
    """What an attempt shows of its money."""
    return {"reserved_usd": "0.00", "settled_usd": settled, "at_risk_usd": at_risk}


def a_take(generation_id: str, *attempts: Json, number: int = 1, **changes: Any) -> Json:
    """A take with a video."""
    told = {
        "number": number,
        "status": "completed",
        "superseded_by": None,
        "cancel": None,
        "has_video": True,
        "attempts": list(attempts or [an_attempt(generation_id, number)]),
    }
    return told | changes


def an_event(seq: int, kind: str, seconds: float, take: int = 1, attempt: int | None = None) -> Json:
    """An event, so many seconds after the beginning."""
    at = datetime.fromtimestamp(BEGAN + seconds, UTC).isoformat().replace("+00:00", "Z")
    return {"seq": seq, "type": kind, "take": take, "attempt": attempt, "at": at}


def a_generation(generation_id: str, *takes: Json, **changes: Any) -> Json:
    """A completed generation, ordered at the beginning and over ten seconds later."""
    told = {
        "id": generation_id,
        "tenant": "amber",
        "on_unknown_submission": None,
        "status": "completed",
        "category": None,
        "takes": list(takes or [a_take(generation_id)]),
        "events": [
            an_event(1, "generation.accepted", 0),
            an_event(2, "take.started", 0),
            an_event(3, "attempt.submitting", 1, attempt=1),
            an_event(4, "generation.completed", 10),
        ],
    }
    return told | changes


def a_failed(
    generation_id: str, *takes: Json, category: str | None = "submission_unknown", **changes: Any
) -> Json:
    """A generation that failed."""
    return a_generation(generation_id, *takes, **{"status": "failed", "category": category, **changes})


def an_order(number: int, *ids: str) -> Json:
    """An order that was answered, perhaps several times."""
    return {"number": number, "answers": [{"at": BEGAN, "status": 202, "id": one} for one in ids]}


def a_kill(seconds: float, part: str = "worker", up_after: float = 2) -> Json:
    """A kill, so many seconds after the beginning."""
    return {"part": part, "at": BEGAN + seconds, "up_at": BEGAN + seconds + up_after}


def a_report(*generations: Json, jobs: list[Json], **changes: Any) -> Json:
    """A report of generations that were each ordered once."""
    told = {
        "orders": [an_order(number, row["id"]) for number, row in enumerate(generations, start=1)],
        "generations": list(generations),
        "jobs": jobs,
        "kills": [],
    }
    return told | changes
