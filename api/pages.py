"""Lists in pages, by an opaque cursor that leads on behind the last one shown: nothing comes twice or is left out."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from api.problems import FieldError, Problem
from domain.ids import is_generation_id

Record = TypeVar("Record")
Shown = TypeVar("Shown")
Place = TypeVar("Place")


class PageQuery(BaseModel):
    """How a list is paged."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(20, ge=1, le=100)
    cursor: str | None = Field(None, max_length=200, description="`next` of the page before.")

    def behind(self, read: Callable[[str], Place | None]) -> Place | None:
        """Return the place behind which the page begins; None: it is the first page.

        Args:
            read: Makes a place of what a cursor says; None where it says no such thing.

        Raises:
            Problem: The cursor is not one of ours.
        """
        if self.cursor is None:
            return None
        try:
            said = base64.urlsafe_b64decode(self.cursor + "=" * (-len(self.cursor) % 4)).decode()
        except (binascii.Error, ValueError):
            said = ""
        place = read(said)
        if place is None:
            message = "is not a cursor of ours: pass `next` of the page before, unchanged"
            error = FieldError(pointer="/query/cursor", code="invalid_cursor", message=message)
            raise Problem("invalid_cursor", f"cursor {message}", [error])
        return place


class Page(BaseModel, Generic[Shown]):
    """One page of a list."""

    data: list[Shown]
    has_more: bool
    next: str | None = Field(description="Pass it as `cursor` for the next page.")

    @classmethod
    def of(
        cls,
        found: Sequence[Record],
        query: PageQuery,
        *,
        show: Callable[[Record], Shown],
        place: Callable[[Record], str],
    ) -> Self:
        """Return a page as JSON.

        Args:
            found: What was found behind the query's place; one more than its limit where there is more.
            query: What was asked.
            show: Makes JSON of a record.
            place: Says what the cursor behind a record says.
        """
        shown, more = found[: query.limit], found[query.limit :]
        return cls(
            data=[show(record) for record in shown],
            has_more=bool(more),
            next=cursor(place(shown[-1])) if more else None,
        )


def cursor(place: str) -> str:
    """Return the cursor that leads on behind a place."""
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def generation(said: str) -> str | None:
    """Read the place behind a generation: its id; ids sort by age."""
    return said if is_generation_id(said) else None
