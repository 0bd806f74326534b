"""Waiting for news of a generation, for those who would rather not stream."""

import asyncio

from api.generations.finding import find
from api.service import Service
from domain.generation import Generation

WAIT_MAX = 60
"""Seconds."""

_STEP_SECONDS = 0.2


async def wait_for_news(service: Service, generation_id: str, seconds: int, after: int | None) -> Generation:
    """Return the generation when there is news, or as it stands when the time is over.

    Raises:
        Problem: There is none of that id, or the caller is not let in any more.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while True:
        generation = await find(service, generation_id)
        has_news = generation.status.is_terminal if after is None else generation.last_seq > after
        if has_news or loop.time() >= until or service.stopping.is_set():
            return generation
        await service.look_again()
        await asyncio.sleep(_STEP_SECONDS)
