"""Who somebody is, by the key, session, ticket or signed link that they show.

What was found to be good is believed for a second, so that a key that is revoked is worth nothing within two. A house
in which no key was ever made is open to whoever sits at its own machine.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime

from sqlalchemy.exc import SQLAlchemyError

from api.problems import Problem
from domain.people.callers import Caller, Scope, Via
from domain.people.keys import Key, KeyState, Pass, PassKind, WrittenKey
from runtime.secret import Purpose, Seal
from storage.database import Database
from storage.people import keys, passes

_BELIEVED_SECONDS = 1.0
_REMEMBERED = 10_000
_NO_SEAL = "0" * 64
_CHALLENGE = 'Bearer realm="videoplanet"'


class Doorkeeper:
    """Tells callers of one API process.

    Args:
        database: Where keys and passes are.
        seal: Of this deployment.
        open_to: The tenant for whom a house without keys is open; None where it never is.
    """

    def __init__(self, database: Database, seal: Seal, open_to: str | None) -> None:
        self.seal = seal
        self._database = database
        self._open_to = open_to
        self._believed: dict[str, tuple[float, Caller, str | None]] = {}
        self._looked_at = -_BELIEVED_SECONDS
        self._has_keys = False
        self._touching: set[asyncio.Task[None]] = set()

    async def anybody(self) -> Caller | None:
        """Return who everybody is in a house without keys; None in a house with keys."""
        if self._open_to is None or self._has_keys:
            return None
        if time.monotonic() - self._looked_at >= _BELIEVED_SECONDS:
            async with self._database.read() as connection:
                self._has_keys = await keys.exist(connection)
            self._looked_at = time.monotonic()
        return None if self._has_keys else Caller(tenant_id=self._open_to)

    async def by_key(self, text: str) -> Caller:
        """Return who comes with a key.

        Raises:
            Problem: It is none, or not good any more.
        """
        written = WrittenKey.read(text)
        if written is None:
            raise not_let_in("That is not a key: a key is vp_<id>_<secret>.")
        caller, _ = await self._believe(Via.KEY, text, lambda: self._key(written))
        return caller

    async def by_session(self, token: str) -> Caller:
        """Return who has logged in with a session's cookie.

        Raises:
            Problem: The session is over, or its key is not good any more.
        """
        caller, _ = await self._believe(Via.SESSION, token, lambda: self._pass(token, PassKind.SESSION))
        return caller

    async def by_ticket(self, token: str) -> tuple[Caller, str | None]:
        """Return who comes with a ticket, and the one generation that it is for; None: for all.

        Raises:
            Problem: The ticket is over, or its key is not good any more.
        """
        return await self._believe(Via.TICKET, token, lambda: self._pass(token, PassKind.TICKET))

    async def by_link(self, key_id: str) -> Caller:
        """Return who comes with a link that was signed for a key; the caller of this has checked the signature.

        Raises:
            Problem: The key is not good any more.
        """
        caller, _ = await self._believe(Via.LINK, key_id, lambda: self._link(key_id))
        return caller

    async def use_up(self, token: str) -> Pass:
        """Use a login link, once.

        Raises:
            Problem: It was used before, is over, or its key is not good any more.
        """
        async with self._database.write() as connection:
            used = await passes.use_up(connection, self.sealed(token), PassKind.LOGIN, _now())
            found = None if used is None else await keys.find(connection, used.key_id)
        if used is None or found is None or found[0].state(_now()) is not KeyState.GOOD:
            raise not_let_in(
                "The login link was used before, or is over: `videoplanet login` makes a new one."
            )
        return used

    def sealed(self, token: str) -> str:
        """Return by what the row of a pass is found."""
        return self.seal.of(Purpose.PASS, token)

    def forget(self) -> None:
        """Believe nothing that was found before: something has changed."""
        self._believed.clear()
        self._looked_at = -_BELIEVED_SECONDS

    async def _believe(
        self, via: Via, text: str, look: Callable[[], Awaitable[tuple[Caller, str | None]]]
    ) -> tuple[Caller, str | None]:
        # By the way in, too: what opens a little in one way must not be believed in another one that opens more.
        name = self.seal.of(Purpose.CACHE, via, text)
        until, caller, generation_id = self._believed.get(name, (0.0, None, None))
        if caller is not None and time.monotonic() < until:
            return caller, generation_id
        looked_at = time.monotonic()
        self._believed.pop(name, None)
        caller, generation_id = await look()
        if len(self._believed) >= _REMEMBERED:
            self._believed.clear()
        self._believed[name] = (looked_at + _BELIEVED_SECONDS, caller, generation_id)
        return caller, generation_id

    async def _key(self, written: WrittenKey) -> tuple[Caller, None]:
        async with self._database.read() as connection:
            found = await keys.find(connection, written.id)
        key, sealed = (None, _NO_SEAL) if found is None else found
        fits = self.seal.fits(sealed, Purpose.KEY, written.id, written.secret)
        if key is None or not fits:
            raise not_let_in("There is no such key.")
        _must_be_good(key)
        self._touch_soon(key)
        return key.caller(), None

    async def _pass(self, token: str, kind: PassKind) -> tuple[Caller, str | None]:
        moment = _now()
        async with self._database.read() as connection:
            found = await passes.find(connection, self.sealed(token), kind, moment)
            key = None if found is None else await keys.find(connection, found.key_id)
        if found is None or key is None or key[0].state(moment) is not KeyState.GOOD:
            again = "log in again" if kind is PassKind.SESSION else "ask for a new one with POST /v1/tickets"
            raise not_let_in(f"The {kind} is over: {again}.")
        return found.caller(), found.generation_id

    async def _link(self, key_id: str) -> tuple[Caller, None]:
        async with self._database.read() as connection:
            found = await keys.find(connection, key_id)
        if found is None or found[0].state(_now()) is not KeyState.GOOD:
            raise not_let_in("The link is over: the key that it was made with is not valid any more.")
        caller = found[0].caller()
        return Caller(
            tenant_id=caller.tenant_id,
            user_id=caller.only_user,
            scopes=frozenset({Scope.READ}),
            key_id=key_id,
            via=Via.LINK,
        ), None

    def _touch_soon(self, key: Key) -> None:
        """Write now and then that a key is in use; nobody waits for it, and nothing depends on it."""
        moment = _now()
        if key.last_used_at is None or moment - key.last_used_at >= keys.TOUCHED_EVERY:
            task = asyncio.create_task(self._touch(key.id, moment))
            self._touching.add(task)
            task.add_done_callback(self._touching.discard)

    async def _touch(self, key_id: str, moment: datetime) -> None:
        with suppress(SQLAlchemyError):
            async with self._database.write() as connection:
                await keys.touch(connection, key_id, moment)


def not_let_in(detail: str) -> Problem:
    """Return the problem of somebody who came with something that is not good (any more)."""
    return Problem(
        "invalid_key", detail, headers={"WWW-Authenticate": f'{_CHALLENGE}, error="invalid_token"'}
    )


def unknown() -> Problem:
    """Return the problem of somebody who came with nothing."""
    detail = (
        "Send a key as `Authorization: Bearer vp_...`; `videoplanet env` prints the operator's, "
        "`videoplanet login` a link for a browser."
    )
    return Problem("unauthenticated", detail, headers={"WWW-Authenticate": _CHALLENGE})


def _must_be_good(key: Key) -> None:
    match key.state(_now()):
        case KeyState.REVOKED:
            raise not_let_in("The key was revoked.")
        case KeyState.EXPIRED:
            raise not_let_in("The key has expired.")
        case KeyState.GOOD:
            return


def _now() -> datetime:
    return datetime.now(UTC)
