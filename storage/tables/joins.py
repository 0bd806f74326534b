"""How the catalog's tables belong together, and how one of their rows is named."""

from sqlalchemy import ColumnElement, and_

from storage.tables.catalog import attempts, generations, takes

TAKE_OF_ATTEMPT = and_(takes.c.generation_id == attempts.c.generation_id, takes.c.number == attempts.c.take)
GENERATION_OF_ATTEMPT = generations.c.id == attempts.c.generation_id
GENERATION_OF_TAKE = generations.c.id == takes.c.generation_id


def is_take(generation_id: str, number: int) -> ColumnElement[bool]:
    """Tell whether a row of `takes` is this one."""
    return and_(takes.c.generation_id == generation_id, takes.c.number == number)


def is_of_take(generation_id: str, number: int) -> ColumnElement[bool]:
    """Tell whether a row of `attempts` belongs to this take."""
    return and_(attempts.c.generation_id == generation_id, attempts.c.take == number)
