"""Whatever many people and workers do at the same time, in whatever order, the books are right afterwards."""

import asyncio
from collections import Counter

import pytest
from sqlalchemy import select

from domain.attempts.outcomes import CancelOutcome
from domain.generation import Generation, Take
from domain.status import Stage, Status
from storage import catalog, events
from storage.database import Database
from storage.files import uses
from storage.files.assets import LocalAssets
from storage.money.drift import drift
from storage.tables import asset_uses, images
from tests.domain.stories import RUNWAY
from tests.storage.steps import a_second, shown
from tests.storage.workers import World

ROUNDS = 60
AT_ONCE = 8
ENDS = {"generation.completed", "generation.failed", "generation.cancelled", "take.superseded"}


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_books_are_right_after_everything_has_been_done_at_once(
    database: Database, assets: LocalAssets, seed: int
) -> None:
    async with a_second(database) as other:
        world = World((database, other), assets, seed)
        await world.order_plainly()
        for _ in range(ROUNDS):
            await asyncio.gather(*(world.act() for _ in range(AT_ONCE)))
        assert len(world.did) > 15, world.did
        assert max(world.permissions.values(), default=0) <= 1
        assert max(world.made_by_key.values()) == 1
        for generation_id in world.generation_ids:
            await check_generation(database, generation_id)
            await world.finish(generation_id)
            assert (await shown(database, generation_id)).is_over
            await check_generation(database, generation_id)
        async with database.read() as connection:
            assert not await drift(connection)
    await check_files(database, assets, world.generation_ids)


async def check_generation(database: Database, generation_id: str) -> None:
    async with database.read() as connection:
        generation = await catalog.load(connection, generation_id)
        log = await events.after(connection, generation_id, 0, 10_000)
    told = Counter((event.take, str(event.type)) for event in log if event.type in ENDS)
    if generation.deleted_at is None:
        assert [event.seq for event in log] == list(range(1, generation.last_seq + 1))
    else:
        assert [event.type.value for event in log] == ["generation.deleted"]
    assert [take.number for take in generation.takes] == list(range(1, len(generation.takes) + 1))
    for take in generation.takes:
        check_take(generation, take)
        if generation.deleted_at is None:
            ends = sum(count for (number, _), count in told.items() if number == take.number)
            assert ends == take.status.is_terminal, (take, told)
            if take.superseded_by is None and take.status.is_terminal:
                assert told[take.number, f"generation.{take.status}"] == 1
            if take.superseded_by is not None:
                assert told[take.number, "take.superseded"] == take.status.is_terminal
    current = generation.current
    if current.status.is_terminal:
        assert (generation.status, generation.stage) == (current.status, Stage.DONE)
    else:
        assert generation.status is current.status
        assert generation.stage is not Stage.DONE


def check_take(generation: Generation, take: Take) -> None:
    assert [attempt.number for attempt in take.attempts] == list(range(1, len(take.attempts) + 1))
    for attempt in take.attempts:
        cost = attempt.cost
        assert min(cost.reserved, cost.settled, cost.at_risk) >= 0
        assert attempt.plan is not None or generation.deleted_at is not None
        assert cost.reserved + cost.settled + cost.at_risk <= (attempt.plan or RUNWAY).price
        if attempt.state.is_unsent:
            assert cost.reserved + cost.settled + cost.at_risk == 0
    if take.status.is_terminal:
        assert take.cost.reserved == 0, take
        assert take.cancel_outcome is not CancelOutcome.REQUESTED
    if take.status is Status.CANCELLED:
        assert take.cancel_outcome is not CancelOutcome.TOO_LATE
    if take.superseded_by is not None:
        assert take.number < take.superseded_by <= generation.current.number
    elif take is not generation.current:
        assert take.status.is_terminal


async def check_files(database: Database, assets: LocalAssets, generation_ids: list[str]) -> None:
    """Every file that something uses is there, and what nothing uses is gone."""
    async with database.read() as connection:
        used = {(row.sha256, row.suffix) for row in await connection.execute(select(asset_uses))}
        pictures = (await connection.execute(select(images))).all()
        shown = [await catalog.load(connection, generation_id) for generation_id in generation_ids]
    used |= {(row.sha256, uses.PICTURE) for row in pictures}
    for sha256, suffix in used:
        assert await assets.exists(sha256, suffix)
    for take in (take for generation in shown for take in generation.takes if take.video):
        assert take.video is not None
        assert {(take.video.sha256, uses.VIDEO), (take.video.poster_sha256, uses.PICTURE)} <= used
