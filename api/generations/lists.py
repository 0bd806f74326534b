"""Lists of generations: by what they are narrowed."""

import re
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from api import pages
from api.generations.schemas import GenerationPage
from api.generations.showing import shown
from api.service import Here
from domain.fields import Text
from domain.status import Status
from storage import catalog

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


class ListQuery(pages.PageQuery):
    """How a list is narrowed and paged."""

    status: Status | None = None
    provider: Text | None = Field(None, max_length=64)
    project_id: Text | None = Field(None, max_length=128)
    scenario_id: Text | None = Field(None, max_length=128)
    user_id: Text | None = Field(None, max_length=128)
    q: Text | None = Field(None, max_length=200, description="Words of the prompt.")
    created_after: Moment | None = None
    created_before: Moment | None = None


@router.get("", summary="List generations, the newest first")
async def list_generations(service: Here, query: Annotated[ListQuery, Query()]) -> GenerationPage:
    """Return one page of generations."""
    filters = catalog.Filters(**query.model_dump(exclude={"limit", "cursor"}))
    async with service.database.read() as connection:
        found = await catalog.page(
            connection,
            service.tenant,
            filters,
            only_user=service.caller.only_user,
            before_id=query.behind(pages.generation),
            limit=query.limit + 1,
        )
    return GenerationPage.of(
        found, query, show=partial(shown, service), place=lambda generation: generation.id
    )
