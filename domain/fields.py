"""What a field that a user sends must be: texts that can be stored and shown, names, and closed models."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints
from pydantic_core import PydanticCustomError


class Asked(BaseModel):
    """What a user sends: frozen, strict about types, closed to unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _printable(text: str) -> str:
    for character in text:
        if unicodedata.category(character) in {"Cc", "Cs"} and character not in "\n\r\t":
            raise PydanticCustomError(
                "control_character",
                "contains the control character {code}",
                {"code": f"U+{ord(character):04X}"},
            )
    return text


def _not_blank(text: str) -> str:
    if all(character.isspace() or unicodedata.category(character) == "Cf" for character in text):
        raise PydanticCustomError("blank", "must say something: at least one visible character")
    return text


printable = AfterValidator(_printable)
not_blank = AfterValidator(_not_blank)

Text = Annotated[str, printable]
Name = Annotated[str, StringConstraints(min_length=1, max_length=128), printable]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
