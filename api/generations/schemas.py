"""The JSON that leaves the house, and how it is made from the records of the catalog."""

from datetime import UTC, datetime
from typing import Any

from pydantic import AwareDatetime, BaseModel, Field

from api.gates.queue_schemas import PlaceOut
from api.generations.paths import path_of
from api.generations.take_schemas import Error, Money, TakeOut
from api.pages import Page
from domain.actions import Action, actions_of
from domain.events import Event
from domain.generation import Generation
from domain.status import Stage, Status


class Progress(BaseModel):
    """How far it is; never falls within a take."""

    percent: int
    source: str | None = None
    as_of: AwareDatetime | None = None

    @classmethod
    def of(cls, generation: Generation) -> "Progress":
        """Return a generation's progress as JSON."""
        return cls(
            percent=generation.progress_percent,
            source=generation.progress_source,
            as_of=generation.progress_at,
        )


class Links(BaseModel):
    """Where to go from here."""

    self: str
    events: str
    video: str | None
    poster: str | None
    temporal: str


class GenerationOut(BaseModel):
    """One order for one video, as it stands."""

    id: str = Field(examples=["gen_01k9zq3v5x7b8c9d0e1f2g3h4j"])
    mode: str
    status: Status
    stage: str
    progress: Progress
    eta_seconds: int | None
    queue: PlaceOut | None = Field(
        description="Its place while it is `queued`; null in lists and where nobody can tell."
    )
    retry_at: AwareDatetime | None = Field(
        description="When the next attempt may begin, while it is `waiting_retry`."
    )
    provider: str
    model: str
    request: dict[str, Any]
    project_id: str | None
    scenario_id: str | None
    user_id: str | None
    metadata: dict[str, str]
    takes: list[TakeOut]
    cost: Money
    error: Error | None
    actions: list[Action]
    last_seq: int = Field(description="The newest event; pass it as `after` to wait for the next.")
    created_at: AwareDatetime
    updated_at: AwareDatetime
    completed_at: AwareDatetime | None
    links: Links
    duplicate_of: str | None = Field(
        default=None,
        description="In the answer to an order: the same was ordered a moment ago, and this generation is it.",
    )

    @classmethod
    def of(
        cls, generation: Generation, temporal_namespace: str, place: PlaceOut | None = None
    ) -> "GenerationOut":
        """Return a generation as JSON.

        Args:
            generation: Which.
            temporal_namespace: The page of the namespace in Temporal's UI.
            place: Where it stands in the queue, where that was asked.
        """
        take = generation.current
        base = path_of(generation.id)
        has_video = take.video is not None
        return cls(
            id=generation.id,
            mode=generation.mode,
            status=generation.status,
            stage=generation.stage,
            progress=Progress.of(generation),
            eta_seconds=eta_seconds(generation, datetime.now(UTC)),
            queue=place,
            retry_at=retry_at(generation),
            provider=take.plan.provider,
            model=take.plan.model,
            request=take.request.model_dump(mode="json", exclude_none=True, exclude={"metadata"}),
            project_id=generation.project_id,
            scenario_id=generation.scenario_id,
            user_id=generation.user_id,
            metadata=generation.metadata,
            takes=[TakeOut.of(generation.id, one) for one in generation.takes],
            cost=Money.of(generation.cost),
            error=None if take.failure is None else Error.of(take.failure),
            actions=list(actions_of(generation)),
            last_seq=generation.last_seq,
            created_at=generation.created_at,
            updated_at=generation.updated_at,
            completed_at=generation.completed_at,
            links=Links(
                self=base,
                events=f"{base}/events",
                video=f"{base}/video" if has_video else None,
                poster=f"{base}/poster" if has_video else None,
                temporal=f"{temporal_namespace}/workflows/{generation.id}",
            ),
        )


class GenerationPage(Page[GenerationOut]):
    """Generations, the newest first."""


class EventOut(BaseModel):
    """One thing that happened."""

    seq: int
    type: str
    generation_id: str
    take: int
    attempt: int | None
    at: AwareDatetime
    message: str
    data: dict[str, Any]

    @classmethod
    def of(cls, event: Event) -> "EventOut":
        """Return an event as JSON."""
        return cls.model_validate(event, from_attributes=True)


class EventPage(BaseModel):
    """Events, the oldest first."""

    data: list[EventOut]
    has_more: bool
    next: int | None = Field(description="Pass it as `after` for the next page.")


def retry_at(generation: Generation) -> datetime | None:
    """Return when the next attempt may begin, while one waits for that."""
    attempts = generation.current.attempts
    return attempts[-1].not_before if generation.stage is Stage.WAITING_RETRY and attempts else None


_ETA_FROM_PERCENT = 5


def eta_seconds(generation: Generation, now: datetime) -> int | None:
    """Return how long it should still take, from the progress so far; None while that says nothing."""
    percent = generation.progress_percent
    attempts = generation.current.attempts
    if generation.status.is_terminal or not attempts or percent < _ETA_FROM_PERCENT:
        return None
    elapsed = (now - attempts[-1].started_at).total_seconds()
    return max(1, round(elapsed * (100 - percent) / percent))
