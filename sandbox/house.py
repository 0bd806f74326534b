"""What every provider of the sandbox stands on: jobs, faults, films, counts, and answering wrongly on demand.

A provider's module only knows its wire. It lets `enter` have a word before it does anything, makes jobs
with `start_job`, and sends what it has to say through `answer`.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pydantic import JsonValue
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from sandbox.arrivals import ArrivalBook, most_at_once
from sandbox.callbacks import Callbacks
from sandbox.faults import AT_THE_DOOR, OF_THE_OUTPUT, POSSIBLE, Fault, FaultBook, Kind, Operation
from sandbox.films.filmlab import FilmLab
from sandbox.films.picture import Film
from sandbox.jobbook import JobBook
from sandbox.jobs import Callback, Fate, Job
from sandbox.settings import Settings
from sandbox.wire import HangUp, arrived_at

LONGEST_KEPT_STRING: Final = 8192  # of a recorded request

ErrorBody = Callable[[int, str], Mapping[str, JsonValue]]
"""A provider's error body for an HTTP status and a message."""


@dataclass(frozen=True)
class NewJob:
    """What a provider's wire says about a job that is to be made; money in micro-dollars.

    Attributes:
        job_id: The provider's own id.
        lane: What shares one concurrency limit.
        client_reference: The `Idempotency-Key` header, if there was one.
        request: The body of the creation.
        film: What the output shows.
        price: What a success costs.
        price_if_cancelled: What a cancellation costs once the job runs.
        price_if_failed: What a failure costs, by its code.
        echo: What the wire repeats about it each time it is asked.
        callback: Who is told of its changes.
    """

    job_id: str
    lane: str
    client_reference: str | None
    request: dict[str, JsonValue]
    film: Film
    price: int
    price_if_cancelled: int
    price_if_failed: Callable[[str], int]
    echo: dict[str, JsonValue] = field(default_factory=dict)
    callback: Callback | None = None


@dataclass
class House:
    """The parts that all providers share."""

    settings: Settings
    jobs: JobBook
    arrivals: ArrivalBook
    films: FilmLab
    callbacks: Callbacks
    faults: FaultBook = field(default_factory=FaultBook)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def knock(self, provider: str, request: Request) -> None:
        """Notes that a creation was asked for, whatever becomes of it. Comes first, before its body is read."""
        self.arrivals.add(provider, arrived_at(request.scope))

    def load(self, provider: str) -> dict[str, JsonValue]:
        """How a provider was used, as `GET /_sandbox/load` shows it."""
        door = self.arrivals.at(provider)
        spans = ((job.created_at, job.ends_at) for job in self.jobs.all() if job.provider == provider)
        return {
            "creates": door.creates,
            "min_gap_seconds": door.min_gap_seconds,
            "max_at_once": most_at_once(spans),
            "arrivals": list(door.arrivals),
        }

    def enter(self, provider: str, operation: Operation, error_body: ErrorBody) -> Response | None:
        """Counts a request, and lets it go wrong before anything has been done.

        Returns:
            What to answer instead of doing anything, or None.
        """
        self.counts[provider, operation] += 1
        kinds = frozenset({Kind.STATUS}) if operation is Operation.OUTPUT else AT_THE_DOOR
        fault = self.faults.take(provider, operation, kinds)
        return None if fault is None else refusal(fault, error_body)

    def on_leaving(self, provider: str, operation: Operation) -> list[Fault]:
        """The armed fault for what is about to be done."""
        fault = self.faults.take(provider, operation, POSSIBLE[operation])
        return [] if fault is None else [fault]

    def start_job(self, provider: str, new: NewJob, faults: Sequence[Fault]) -> Job:
        """Makes a job, with the faults that are the job's own, and commits it."""
        kinds = {fault.kind: fault for fault in faults}
        failing = kinds.get(Kind.FAIL_JOB)
        code = failing.code if failing else None
        factor = self.settings.slow_factor if Kind.SLOW in kinds else 1.0
        fate = Fate.STUCK if Kind.STUCK in kinds else Fate.FAIL if failing else Fate.SUCCEED
        job = self.jobs.add(
            Job(
                provider=provider,
                job_id=new.job_id,
                lane=new.lane,
                client_reference=new.client_reference,
                request={name: _shortened(value) for name, value in new.request.items()},
                film=self._one_of_the_pictures(new.film),
                created_at=self.jobs.now(),
                wait_seconds=self.settings.wait_seconds,
                run_seconds=self.settings.run_seconds * factor,
                fate=fate,
                failure_code=code,
                price=new.price,
                price_if_failed=new.price_if_failed(code) if code else 0,
                price_if_cancelled=new.price_if_cancelled,
                output_faults=tuple(fault for fault in faults if fault.kind in OF_THE_OUTPUT),
                secret=secrets.token_hex(16),
                echo=new.echo,
                callback=_told_as_often(new.callback, kinds),
            )
        )
        self.callbacks.expect(job)
        return job

    async def answer(
        self, response: Response, operation: Operation, faults: Sequence[Fault], error_body: ErrorBody
    ) -> Response:
        """Sends an answer about something that has been done, or fails to."""
        for fault in faults:
            match fault.kind:
                case Kind.DROP_REPLY:
                    return HangUp()
                case Kind.CREATE_THEN_STATUS:
                    return refusal(fault, error_body)
                case Kind.SLOW_ACCEPT:
                    await asyncio.sleep(fault.pause_seconds)
                case Kind.SLOW if operation is not Operation.CREATE:  # at a creation the job is slow
                    await asyncio.sleep(fault.pause_seconds)
                case _:
                    continue
        return response

    def reset(self) -> None:
        """Forgets jobs, arrivals, faults and counts."""
        self.jobs.clear()
        self.arrivals.clear()
        self.faults.clear()
        self.counts.clear()

    def close(self) -> None:
        """Ends the threads and closes the database."""
        self.films.close()
        self.jobs.close()
        self.arrivals.close()

    def _one_of_the_pictures(self, film: Film) -> Film:
        variety = self.settings.picture_variety
        return film if variety is None else film.model_copy(update={"seed": film.seed % variety})


def refusal(fault: Fault, error_body: ErrorBody) -> Response:
    """The answer of a fault that breaks the connection or answers a status."""
    if fault.kind is Kind.RESET_CONNECTION:
        return HangUp(reset=True)
    headers = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
    body = dict(error_body(fault.http_status, f"The sandbox was told to answer {fault.http_status}."))
    if fault.error_code is not None and isinstance(error := body.get("error"), dict):
        body["error"] = {**error, "code": fault.error_code}
    return JSONResponse(body, fault.http_status, headers)


def at_the_door(faults: Sequence[Fault]) -> Fault | None:
    """The first of the faults that keep anything from being done."""
    return next((fault for fault in faults if fault.kind in AT_THE_DOOR), None)


def _told_as_often(callback: Callback | None, kinds: Mapping[Kind, Fault]) -> Callback | None:
    if callback is None or Kind.DUPLICATE_CALLBACK not in kinds:
        return callback
    return callback.model_copy(update={"times": 2})


def _shortened(value: JsonValue) -> JsonValue:
    """A recorded value without its long strings, which are pictures."""
    match value:
        case str() if len(value) > LONGEST_KEPT_STRING:
            digest = hashlib.sha256(value.encode(errors="replace")).hexdigest()
            return f"{value[:48]}... ({len(value)} characters, sha256 {digest})"
        case list():
            return [_shortened(item) for item in value]
        case dict():
            return {name: _shortened(item) for name, item in value.items()}
        case _:
            return value
