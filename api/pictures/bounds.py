"""How many pictures are taken in at once: uploaded, or fetched, for whom, by which way and within what time."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from api.problems import Problem
from domain.generation import DeploymentMode
from providers.outgoing.doors import Doors
from providers.outgoing.fetching import Outgoing, Patience
from providers.registry import outgoing_at
from runtime.settings import Settings

MAX_FETCHES = 16
MAX_FETCHES_OF_A_TENANT = 4
"""A tenant whose pictures drip keeps nobody else from theirs."""

MAX_UPLOADS = 32
"""Under way at once: each waits for a turn at decoding."""


class Uploads:
    """The uploads of one API process."""

    def __init__(self) -> None:
        """Take nothing in yet."""
        self._under_way = 0

    @contextmanager
    def place(self) -> Iterator[None]:
        """Take a place while one picture is taken in.

        Raises:
            Problem: There is none.
        """
        if self._under_way >= MAX_UPLOADS:
            detail = "Too many pictures are being taken in; try again."
            raise Problem("unavailable", detail, headers={"Retry-After": "5"})
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1


class Fetches:
    """The fetches of one API process."""

    def __init__(self, outgoing: Outgoing, *, seconds: float) -> None:
        """Fetch nothing yet.

        Args:
            outgoing: The way out.
            seconds: For a whole picture, at most.
        """
        self.outgoing = outgoing
        self.patience = Patience(total=seconds)
        self._under_way: Counter[str] = Counter()

    @contextmanager
    def place(self, tenant_id: str) -> Iterator[None]:
        """Take a place while one picture is fetched.

        Raises:
            Problem: There is none.
        """
        of_tenant = self._under_way[tenant_id]
        if of_tenant >= MAX_FETCHES_OF_A_TENANT or self._under_way.total() >= MAX_FETCHES:
            detail = "Too many pictures are being fetched; try again."
            raise Problem("unavailable", detail, headers={"Retry-After": "5"})
        self._under_way[tenant_id] += 1
        try:
            yield
        finally:
            self._under_way[tenant_id] -= 1
            self._under_way += Counter()  # forgets those that fetch nothing


def fetches_of(settings: Settings) -> Fetches:
    """Return a process's fetches: from https on the public internet and, for pretended videos, from the sandbox."""
    if settings.mode is DeploymentMode.SANDBOX:
        outgoing = outgoing_at(settings.effective_sandbox_url, settings.mode)
    else:
        outgoing = Outgoing(Doors())
    return Fetches(outgoing, seconds=settings.image_url_seconds)
