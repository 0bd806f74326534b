"""Identifiers: how they are made, and how a stranger's text is recognised as one."""

import re

from ulid import ULID

GENERATION_ID_PATTERN = r"^gen_[0-9a-hjkmnp-tv-z]{26}$"
_GENERATION_ID = re.compile(GENERATION_ID_PATTERN)
_ATTEMPT_REF = re.compile(r"gen_[0-9a-hjkmnp-tv-z]{26}(\.[0-9]+){2}")


def new_generation_id() -> str:
    """Return `gen_` and 26 characters of Crockford base32; later ids sort after earlier ones."""
    return f"gen_{str(ULID()).lower()}"


def is_generation_id(text: str) -> bool:
    """Tell whether the text has the form of a generation id; says nothing of whether it exists."""
    return _GENERATION_ID.fullmatch(text) is not None


def is_attempt_ref(text: str) -> bool:
    """Tell whether the text has the form of an attempt's reference."""
    return _ATTEMPT_REF.fullmatch(text) is not None


def attempt_ref(generation_id: str, take: int, attempt: int) -> str:
    """Return the reference of one attempt, `<generation>.<take>.<attempt>`.

    It is the attempt's key in our tables and the `client_reference` that the provider is given.
    """
    return f"{generation_id}.{take}.{attempt}"


def generation_of(ref: str) -> str:
    """Return the id of the generation that an attempt's reference belongs to."""
    return ref.partition(".")[0]
