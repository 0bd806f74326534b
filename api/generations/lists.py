"""Lists of generations: filters, and pages by an opaque cursor, so that nothing is shown twice or left out."""

import base64
import binascii
import re
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from api.generations.schemas import GenerationPage
from api.problems import FieldError, Problem
from api.service import Here
from domain.fields import Text
from domain.ids import is_generation_id
from domain.status import Status
from storage.gate import queue
from storage.takes import catalog

router = APIRouter(prefix="/v1/generations", tags=["generations"])

_NUMBER = re.compile(r"[+-]?[0-9.]+(e[+-]?[0-9]+)?", re.IGNORECASE)
"""Pydantic would take one for seconds, or milliseconds, since 1970, as it sees fit."""


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError(
            "datetime_range", "is out of range: give a year from 1 to 9999 in UTC"
        ) from None


def _written_out(moment: object) -> object:
    if isinstance(moment, str) and _NUMBER.fullmatch(moment.strip()):
        raise PydanticCustomError(
            "datetime_parsing", "is a number: write a time out, such as 2026-01-31T12:00:00Z"
        )
    return moment


Moment = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_in_utc)]


class ListQuery(BaseModel):
    """How a list is narrowed and paged."""

    model_config = ConfigDict(extra="forbid")

    status: Status | None = None
    provider: Text | None = Field(None, max_length=64)
    project_id: Text | None = Field(None, max_length=128)
    scenario_id: Text | None = Field(None, max_length=128)
    user_id: Text | None = Field(None, max_length=128)
    q: Text | None = Field(None, max_length=200, description="Words of the prompt.")
    created_after: Moment | None = None
    created_before: Moment | None = None
    limit: int = Field(20, ge=1, le=100)
    cursor: str | None = Field(None, max_length=200, description="`next` of the page before.")


@router.get("", summary="List generations, the newest first")
async def list_generations(service: Here, query: Annotated[ListQuery, Query()]) -> GenerationPage:
    """Return one page of generations."""
    filters = catalog.Filters(**query.model_dump(exclude={"limit", "cursor"}))
    before_id = None if query.cursor is None else read_cursor(query.cursor)
    async with service.database.read() as connection:
        found = await queue.page(
            connection,
            service.tenant,
            filters,
            only_user=service.caller.only_user,
            before_id=before_id,
            limit=query.limit + 1,
        )
    shown = found[: query.limit]
    has_more = len(found) > query.limit
    return GenerationPage(
        data=[service.show(generation) for generation in shown],
        has_more=has_more,
        next=write_cursor(shown[-1].id) if has_more else None,
    )


def write_cursor(generation_id: str) -> str:
    """Return the cursor that leads on behind a generation."""
    return base64.urlsafe_b64encode(generation_id.encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> str:
    """Return the generation behind which a cursor leads on.

    Raises:
        Problem: It is no cursor of ours.
    """
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        text = ""
    if not is_generation_id(text):
        raise unknown_cursor()
    return text


def unknown_cursor() -> Problem:
    """Return the problem of a cursor that is not ours."""
    message = "is not a cursor of ours: pass `next` of the page before, unchanged"
    error = FieldError(pointer="/query/cursor", code="invalid_cursor", message=message)
    return Problem("invalid_cursor", f"cursor {message}", [error])
