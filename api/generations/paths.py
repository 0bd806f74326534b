"""What stands in the paths of generations."""

from typing import Annotated

from fastapi import Path

GenerationId = Annotated[str, Path(description="`gen_` and 26 characters.")]
TakeNumber = Annotated[int, Path(ge=1, le=65535, description="Which take, from 1.")]
AttemptNumber = Annotated[int, Path(ge=1, le=65535, description="Which attempt of the take, from 1.")]


def path_of(generation_id: str) -> str:
    """Return where a generation is."""
    return f"/v1/generations/{generation_id}"
