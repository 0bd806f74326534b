"""Fetching a finished video, proving by decoding that it is one, and keeping it."""

import asyncio
from collections.abc import Mapping

from temporalio import activity

from activities.service import Service, heartbeating, now
from domain.attempts.failures import Category, Failure
from domain.attempts.outcomes import JobState, JobStatus
from domain.generation import Video
from domain.messages import Ending, Job, Stored
from domain.names import ActivityName
from domain.orders.line_up import name_of
from failpoints import Point, reach
from providers.base import ProviderError
from providers.outgoing.downloads import download
from storage.attempts import jobs
from storage.database import uninterrupted
from storage.files.asset_store import AssetTooLarge
from storage.files.media import MediaFacts, UnplayableVideo, check_against_order, inspect_video
from storage.money import bills
from storage.takes import endings

FETCHES = 3
_PAUSE_SECONDS = 1.0


class _Refused(Exception):
    """What was fetched is not the video that was ordered."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.failure = Failure(category=Category.BAD_OUTPUT, code=code, detail=detail)


class Storing:
    """The activity `store`."""

    def __init__(self, service: Service) -> None:
        self._service = service

    @activity.defn(name=ActivityName.STORE)
    async def store(self, job: Job) -> Stored:
        """Store the output of a job that succeeded and complete its take; facts first, in one transaction.

        A broken file is fetched again, from a fresh URL, before it counts as `bad_output`.

        Raises:
            ProviderError: The provider could not be reached; to be retried.
        """
        async with heartbeating():
            await self._show(job)
            failure: Failure | None = None
            for fetch in range(FETCHES):
                if fetch:
                    await asyncio.sleep(_PAUSE_SECONDS)
                provider = self._service.accounts.get(job.account, job.mode)
                look = await provider.status(job.job_id)
                try:
                    video = await self._fetch(job, look, provider.output_headers)
                except _Refused as refused:
                    failure = refused.failure
                    activity.logger.warning("The output of job %s is refused: %s", job.job_id, refused)
                else:
                    return Stored(ending=await self._complete(job, look, video))
            if failure is not None:
                await self._give_up(job, failure)
            return Stored(failure=failure)

    async def _fetch(self, job: Job, look: JobStatus, headers: Mapping[str, str]) -> Video:
        if look.state is not JobState.SUCCEEDED or look.output_url is None:
            raise _Refused(
                "output_gone", f"{name_of(job.plan.provider)} no longer offers the finished video."
            )
        assets = self._service.assets
        try:
            async with (
                assets.receive(suffix=".mp4", limit_bytes=self._service.max_output_bytes) as incoming,
                download(self._service.accounts.outgoing(job.account), look.output_url, headers) as chunks,
            ):
                async for chunk in chunks:
                    await incoming.write(chunk)
                reach(Point.STORING)
                fetched = await incoming.local_copy()
                async with assets.scratch() as folder:
                    poster = folder / "poster.jpg"
                    found = await inspect_video(fetched, poster)
                    _check(found, job)
                    kept_poster = await assets.put_bytes(poster.read_bytes(), ".jpg")
                kept = await incoming.commit()
        except UnplayableVideo as error:
            raise _Refused(
                "unplayable", f"The provider's file is not the video that was ordered: {error}"
            ) from error
        except AssetTooLarge as error:
            raise _Refused("too_large", str(error)) from error
        except ProviderError as error:
            if error.failure.category is not Category.BAD_OUTPUT:
                raise
            raise _Refused(error.failure.code, error.failure.detail) from error
        return Video(
            sha256=kept.sha256,
            size_bytes=kept.size_bytes,
            poster_sha256=kept_poster.sha256,
            duration_seconds=found.duration_seconds,
            width=found.width,
            height=found.height,
            fps=found.fps,
            codec=found.codec,
            has_audio=found.has_audio,
            seed=job.plan.seed_of(job.attempt) if look.seed is None else look.seed,
        )

    @uninterrupted
    async def _show(self, job: Job) -> None:
        async with self._service.database.write(job.generation_id) as connection:
            await jobs.storing(connection, job, activity.info().attempt, now())

    @uninterrupted
    async def _give_up(self, job: Job, failure: Failure) -> None:
        async with self._service.database.write(job.generation_id) as connection:
            await jobs.given_up(connection, job, failure, now())

    @uninterrupted
    async def _complete(self, job: Job, look: JobStatus, video: Video) -> Ending:
        async with self._service.database.write(job.generation_id) as connection:
            await bills.settle_stored(connection, job, look, video.duration_seconds, now())
            ending = await endings.completed(connection, self._service.assets, job, video, now())
            reach(Point.BEFORE_COMMIT)
            return ending


def _check(found: MediaFacts, job: Job) -> None:
    plan = job.plan
    check_against_order(
        found,
        duration_seconds=plan.duration_seconds,
        width=plan.width,
        height=plan.height,
        exact_size=plan.has_exact_size,
    )
