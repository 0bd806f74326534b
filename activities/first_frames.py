"""The pictures that orders start from, brought to the size of their videos."""

import asyncio
import os
from collections import OrderedDict

from domain.attempts.failures import Category, Failure
from domain.orders.plans import FirstFrame, Plan
from storage.files import images
from storage.files.assets import LocalAssets
from storage.files.pictures import UnusablePicture, fit

_KEPT_BYTES = 64 * 1024**2
_AT_ONCE = max(1, (os.cpu_count() or 2) - 1)


class FirstFrameGone(Exception):
    """The stored picture is not there (any more), or cannot be read; nothing was sent."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.failure = Failure(category=Category.VALIDATION, code=code, detail=detail, billed=False)


class FirstFrames:
    """Fits pictures, a few at a time, and keeps the newest ones.

    Each takes a process, seconds and hundreds of megabytes. An order whose time to be sent is over before its picture
    is ready comes again as a new attempt, and then finds it here.
    """

    def __init__(self, assets: LocalAssets) -> None:
        self._assets = assets
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._kept: OrderedDict[tuple[str, int, int], bytes] = OrderedDict()

    async def fitted(self, plan: Plan) -> bytes | None:
        """Return the first frame of a plan as a JPEG of exactly the video's size; None where it has none.

        Raises:
            FirstFrameGone: It cannot be had.
        """
        frame = plan.first_frame
        if frame is None:
            return None
        key = (frame.sha256, plan.width, plan.height)
        async with self._turns:
            if key not in self._kept:
                self._keep(key, await self._fit(frame, plan))
            self._kept.move_to_end(key)
            return self._kept[key]

    async def _fit(self, frame: FirstFrame, plan: Plan) -> bytes:
        if not await self._assets.exists(frame.sha256, images.SUFFIX):
            raise FirstFrameGone(
                "image_gone", f"The picture {frame.image_id} was deleted before it was sent."
            )
        stored = self._assets.path_of(frame.sha256, images.SUFFIX)
        try:
            return await fit(stored, width=plan.width, height=plan.height)
        except UnusablePicture as error:
            raise FirstFrameGone("image_unusable", str(error)) from error

    def _keep(self, key: tuple[str, int, int], jpeg: bytes) -> None:
        self._kept[key] = jpeg
        while len(self._kept) > 1 and sum(map(len, self._kept.values())) > _KEPT_BYTES:
            self._kept.popitem(last=False)
