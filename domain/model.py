"""The base of every model in the house: frozen, closed to unknown fields, and usable as a message."""

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """An immutable value. Unknown fields are an error, so that a misspelt field never passes silently."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Message(BaseModel):
    """An immutable value that is stored in workflow histories.

    Unknown fields are ignored here: an older worker must be able to read what a newer one wrote.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
