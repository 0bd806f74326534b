"""Develops films off the event loop, each one once, and keeps the recent ones in memory.

Films are reproducible, so that a film which was thrown away or lost with the process is rendered again
to the same bytes.
"""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

from sandbox.films.picture import Film
from sandbox.films.render import render

_THREADS = 2


class FilmLab:
    """Renders films in a few threads.

    Args:
        cache_bytes: How many bytes of finished films are kept; the least recently used ones go first.
    """

    def __init__(self, cache_bytes: int) -> None:
        self._limit = cache_bytes
        self._finished: OrderedDict[Film, bytes] = OrderedDict()
        self._size = 0
        self._under_way: dict[Film, asyncio.Future[bytes]] = {}
        self._stopped = threading.Event()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="sandbox-film")

    async def develop(self, film: Film) -> bytes:
        """The film as an MP4; whoever asks while it is being rendered waits for the same one."""
        if film in self._finished:
            self._finished.move_to_end(film)
            return self._finished[film]
        if film not in self._under_way:
            loop = asyncio.get_running_loop()
            job = loop.run_in_executor(self._threads, render, film, self._stopped.is_set)
            self._under_way[film] = job
            job.add_done_callback(lambda done: self._keep(film, done))
        return await asyncio.shield(self._under_way[film])

    def close(self) -> None:
        """Stops what is under way."""
        self._stopped.set()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _keep(self, film: Film, done: asyncio.Future[bytes]) -> None:
        del self._under_way[film]
        if done.cancelled() or done.exception() is not None:
            return
        self._finished[film] = done.result()
        self._size += len(done.result())
        while self._size > self._limit and self._finished:
            self._size -= len(self._finished.popitem(last=False)[1])
