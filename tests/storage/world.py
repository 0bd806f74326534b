"""People and the house-keeper, who do whatever comes to their minds with a few generations, all at once."""

import random
from collections import Counter
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from domain.generation import Feedback, Generation
from domain.ids import new_generation_id
from domain.orders.plans import Plan
from domain.orders.refusals import RequestRefused
from domain.orders.request import IfRunning
from storage import catalog, idempotency
from storage.database import Database
from storage.files import images, uses
from storage.files.assets import LocalAssets
from storage.idempotency import Gone, Key, Reply
from storage.takes import erasing, opinions, wishes
from tests.domain.stories import RUNWAY, SEEDANCE
from tests.factories import NOW, SECOND, a_request
from tests.storage.steps import SOMEBODY

REFUSALS = (
    wishes.StillRunning,
    wishes.AlreadyOver,
    opinions.NothingToSee,
    erasing.NotOver,
    images.ImageInUse,
    uses.FileGone,
    RequestRefused,
    Gone,
)
"""What may be answered to somebody who comes at the wrong moment; anything else is a fault of the store."""

PICTURE = b"one picture"


class People:
    """A few generations, and what people and the house-keeper do with them."""

    def __init__(self, databases: tuple[Database, ...], assets: LocalAssets, seed: int) -> None:
        self.databases = databases
        self.assets = assets
        self.generation_ids: list[str] = []
        self.made_by_key: Counter[str] = Counter()
        self.random = random.Random(seed)  # noqa: S311 - a schedule, no secret
        self.moment: datetime = NOW

    def database(self) -> Database:
        return self.random.choice(self.databases)

    def now(self) -> datetime:
        self.moment += SECOND
        return self.moment

    def generation(self) -> str:
        return self.random.choice(self.generation_ids[-3:])

    def route(self) -> tuple[Plan, ...]:
        return self.random.choice([(RUNWAY,), (RUNWAY, SEEDANCE), (SEEDANCE, RUNWAY)])

    async def _load(self, connection: AsyncConnection, generation_id: str) -> Generation | None:
        generation = await catalog.load(connection, generation_id)
        return None if generation.deleted_at else generation

    # People.

    async def order(self) -> None:
        key = str(self.random.randrange(6))
        of = Key.of(tenant_id="t", method="POST", path="/v1/generations", key=key, body=b"{}")
        moment = self.now()

        async def work(connection: AsyncConnection) -> Reply:
            generation_id = new_generation_id()
            request = a_request(params={"image_id": "picture"} if self.random.random() < 0.5 else {})
            await images.first_frame(connection, SOMEBODY.tenant_id, request)
            await wishes.create(connection, generation_id, SOMEBODY, request, self.route(), moment)
            return Reply(202, {"id": generation_id}, {}, generation_id)

        reply = await idempotency.once(self.database(), of, moment, work)
        if not reply.replayed:
            self.made_by_key[key] += 1
            self.generation_ids.append(reply.body["id"])

    async def order_plainly(self) -> None:
        """Order without a picture, which nobody can refuse."""
        generation_id = new_generation_id()
        async with self.database().write() as connection:
            await wishes.create(connection, generation_id, SOMEBODY, a_request(), self.route(), self.now())
        self.generation_ids.append(generation_id)

    async def cancel(self) -> None:
        generation_id, moment = self.generation(), self.now()
        async with self.database().write(generation_id) as connection:
            if generation := await self._load(connection, generation_id):
                await wishes.cancel(connection, generation, moment, by="user", reason="because")

    async def regenerate(self, if_running: IfRunning = IfRunning.REFUSE) -> None:
        generation_id, moment = self.generation(), self.now()
        async with self.database().write(generation_id) as connection:
            if generation := await self._load(connection, generation_id):
                await wishes.regenerate(
                    connection, generation, a_request(), self.route(), moment, if_running=if_running
                )

    async def replace(self) -> None:
        await self.regenerate(IfRunning.REPLACE)

    async def rate(self) -> None:
        generation_id, moment = self.generation(), self.now()
        async with self.database().write(generation_id) as connection:
            if generation := await self._load(connection, generation_id):
                await opinions.rate(
                    connection, generation, generation.current.number, Feedback(rating=3, at=moment), moment
                )

    async def keep(self) -> None:
        generation_id, moment = self.generation(), self.now()
        async with self.database().write(generation_id) as connection:
            if generation := await self._load(connection, generation_id):
                change = self.random.choice([opinions.keep, opinions.let_go])
                await change(connection, generation, generation.current.number, moment)

    async def delete(self) -> None:
        generation_id, moment = self.generation(), self.now()
        if self.random.random() < 0.3:
            async with self.database().write(generation_id) as connection:
                if generation := await self._load(connection, generation_id):
                    await erasing.delete(connection, generation, moment)

    async def upload(self) -> None:
        stored = await self.assets.put_bytes(PICTURE, images.SUFFIX)
        async with self.database().write() as connection:
            await uses.hold(connection, self.assets, stored.sha256, images.SUFFIX)
            if await images.find(connection, SOMEBODY.tenant_id, "picture") is None:
                image = images.Image(
                    "picture", stored.sha256, 8, 8, stored.size_bytes, "image/png", self.now()
                )
                await images.add(connection, SOMEBODY.tenant_id, image)

    async def remove_picture(self) -> None:
        async with self.database().write() as connection:
            if image := await images.find(connection, SOMEBODY.tenant_id, "picture"):
                await images.remove(connection, image, self.now())
                await uses.erase_image(connection, self.assets, image)

    # The house-keeper.

    async def erase(self) -> None:
        async with self.database().read() as connection:
            due = await erasing.to_be_erased(connection)
        for generation_id in due:
            async with self.database().write(generation_id) as connection:
                await erasing.erase_files(connection, self.assets, generation_id, self.now())
