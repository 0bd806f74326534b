"""The run's own count: generation by generation, and take by take, while all is at hand.

`tests.chaos.recount` counts the same from the rows of the report alone, job by job. The two share only the words.
"""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tests.chaos.line import BEGINNINGS, ENDINGS, OVER, WORK, Line, micros

Json = dict[str, Any]


def tally(
    generations: Sequence[Json],
    orders: Sequence[Json],
    jobs: Sequence[Json],
    kills: Sequence[Json],
    drift_micros: int = 0,
) -> Line:
    """Count.

    Args:
        generations: As the API shows them, with their `events`; `status: missing` where it does not.
        orders: What the users were answered.
        jobs: As the sandbox lists them.
        kills: With `at` and `up_at`.
        drift_micros: What the service's own comparison of its books found.
    """
    mine: dict[str, list[Json]] = {generation["id"]: [] for generation in generations}
    strays = 0
    for job in jobs:
        if _owner(job) in mine:
            mine[_owner(job)].append(job)
        else:
            strays += 1
    states = [_state(generation) for generation in generations]
    recoveries = [one for kill in kills if (one := recovery_of(kill, generations)) is not None]
    return Line(
        submitted=len(generations),
        completed=states.count("completed"),
        failed=states.count("failed"),
        cancelled=states.count("cancelled"),
        lost=states.count("lost"),
        duplicated=strays
        + _surplus_generations(generations, orders)
        + sum(_surplus(generation, mine[generation["id"]]) for generation in generations),
        wasted_micros=sum(_wasted(generation, mine[generation["id"]]) for generation in generations)
        + sum(micros(job["billed_usd"]) for job in jobs if _owner(job) not in mine),
        drift_micros=drift_micros,
        worst_recovery_seconds=max(recoveries, default=None),
    )


def _state(generation: Json) -> str:
    if generation["status"] not in OVER or (generation["status"] == "failed" and not generation["category"]):
        return "lost"
    return str(generation["status"])


def _surplus_generations(generations: Sequence[Json], orders: Sequence[Json]) -> int:
    """Generations that nobody ordered: a key that made two, or an answer that was lost and not replayed.

    An order that was never answered at all may well have made one.
    """
    ordered = {order["answers"][0]["id"] for order in orders if order["answers"]}
    unanswered = sum(not order["answers"] for order in orders)
    return max(0, sum(generation["id"] not in ordered for generation in generations) - unanswered)


def _surplus(generation: Json, jobs: Sequence[Json]) -> int:
    """Jobs beyond those that the attempts explain: at most all but one of a take, or all that were made in the dark."""
    asked_for = generation["on_unknown_submission"] == "resubmit"
    surplus = 0
    for take in generation.get("takes", []):
        made = [job for job in jobs if _place(job)[0] == take["number"]]
        attempts = {attempt["number"]: attempt for attempt in take["attempts"]}
        odd = in_the_dark = 0
        for job in made:
            attempt = attempts.get(_place(job)[1])
            is_shared = [other["client_reference"] for other in made].count(job["client_reference"]) > 1
            is_shown = attempt is not None and attempt["job_id"] == job["job_id"]
            is_explained = is_shown or (asked_for and attempt is not None and attempt["outcome"] == "unknown")
            is_dark = not asked_for and _after_an_open_question(generation, take, job)
            odd += is_shared or not is_explained or is_dark
            in_the_dark += is_dark
        surplus += max(in_the_dark, min(odd, max(0, len(made) - 1)))
    known = {take["number"] for take in generation.get("takes", [])}
    return surplus + sum(_place(job)[0] not in known for job in jobs)


def _after_an_open_question(generation: Json, take: Json, job: Json) -> bool:
    """Tell whether a job was made while it was not known what had become of an earlier attempt of the take."""
    for attempt in take["attempts"]:
        if attempt["number"] >= _place(job)[1] or attempt["outcome"] not in {"unknown", "found", "accepted"}:
            continue  # a later one, or one of which surely nothing came
        when = {
            event["type"]: moment(event)
            for event in generation["events"]
            if (event["take"], event["attempt"]) == (take["number"], attempt["number"])
        }
        found = when.get("attempt.found", math.inf)
        if attempt["outcome"] == "unknown" or when.get("attempt.unknown", found) < job["created_at"] < found:
            return True
    return False


def _wasted(generation: Json, jobs: Sequence[Json]) -> int:
    """What was billed for the jobs of a generation, and is shown nowhere."""
    takes = {take["number"]: take for take in generation["takes"]}
    wasted = 0
    for place in {_place(job) for job in jobs}:
        made = [job for job in jobs if _place(job) == place]
        take = takes.get(place[0])
        if take is not None and take["cancel"] is not None:
            continue
        billed = sum(micros(job["billed_usd"]) for job in made)
        wasted += max(0, billed - (0 if take is None else _accounted_for(take, place[1], made)))
    return wasted


def _accounted_for(take: Json, number: int, made: Sequence[Json]) -> int:
    """What an attempt shows of its money, or the price of the video that came of it."""
    attempts = take["attempts"]
    shown = sum(
        micros(one["cost"]["settled_usd"]) + micros(one["cost"]["at_risk_usd"])
        for one in attempts
        if one["number"] == number
    )
    makers = [one["job_id"] for one in attempts if one["job_id"]][-1:] if take["has_video"] else []
    return max([shown, *(micros(job["billed_usd"]) for job in made if job["job_id"] in makers)])


def recovery_of(kill: Json, generations: Sequence[Json]) -> float | None:
    """Seconds from a kill until work was seen to go on; None if no work was under way, or none followed.

    An API has recovered when it answers again. A worker has when the first event that only workers write comes of a
    generation that was under way; Temporal, when the first such event comes after it was up again, since activities
    go on for a while without it.
    """
    if kill["part"] == "api":
        return float(kill["up_at"] - kill["at"])
    since = kill["at"] if kill["part"] == "worker" else kill["up_at"]
    signs = [
        moment(event)
        for generation in generations
        if _is_under_way(generation["events"], kill["at"])
        for event in generation["events"]
        if event["type"].startswith(WORK) and moment(event) > since
    ]
    return min(signs) - kill["at"] if signs else None


def _is_under_way(events: Sequence[Json], at: float) -> bool:
    before = [event for event in events if moment(event) <= at and event["type"] in BEGINNINGS | ENDINGS]
    return bool(before) and before[-1]["type"] in BEGINNINGS


def moment(event: Json) -> float:
    """When an event was, in unix seconds."""
    return datetime.fromisoformat(event["at"]).timestamp()


def _owner(job: Json) -> str:
    return str(job["client_reference"] or "").partition(".")[0]


def _place(job: Json) -> tuple[int, int]:
    """The take and the attempt that a job was made for."""
    _, take, attempt = job["client_reference"].split(".")
    return int(take), int(attempt)
