"""What operators did is written with the deed or not at all, and shown to their own tenant only."""

import pytest

from domain.people.callers import Caller, Via
from storage.database import Database
from storage.people import audit
from storage.people.audit import Action

OPERATOR = Caller(tenant_id="acme", user_id="ann", key_id="k1", via=Via.KEY)
STRANGER = Caller(tenant_id="other", key_id="k2", via=Via.SESSION)
ANYBODY = Caller(tenant_id="acme")


async def test_deeds_are_listed_the_newest_first_and_in_pages(database: Database) -> None:
    for number in range(5):
        async with database.write() as connection:
            await audit.note(
                connection, OPERATOR, Action.ACCOUNT_PAUSED, f"a{number}", {"reason": "why"}, "r1"
            )
            await audit.note(connection, STRANGER, Action.KEY_MADE, "theirs")
    async with database.read() as connection:
        everything = await audit.page(connection, "acme", before_id=None, limit=100)
        first = await audit.page(connection, "acme", before_id=None, limit=2)
        rest = await audit.page(connection, "acme", before_id=first[-1].id, limit=100)
    assert {deed.target for deed in everything} == {f"a{number}" for number in range(5)}
    assert [deed.id for deed in everything] == sorted((deed.id for deed in everything), reverse=True)
    assert [*first, *rest] == [*everything]
    deed = everything[0]
    assert (deed.actor, deed.action, deed.request_id) == ("user:ann key:k1", Action.ACCOUNT_PAUSED, "r1")
    assert deed.data == {"reason": "why"}


async def test_one_user_is_shown_what_they_did_and_not_what_somebody_with_a_similar_name_did(
    database: Database,
) -> None:
    for number, user_id in enumerate(("a_n", "ann", "a_n key:", "a_nn", None)):
        caller = Caller(tenant_id="acme", user_id=user_id, key_id="k1")
        async with database.write() as connection:
            await audit.note(connection, caller, Action.KEY_MADE, f"k{number}")
    async with database.read() as connection:
        deeds = await audit.page(connection, "acme", only_user="a_n", before_id=None, limit=100)
    assert [deed.target for deed in deeds] == ["k0"]


async def test_a_deed_that_was_not_done_is_not_noted(database: Database) -> None:
    class NotDoneError(Exception):
        pass

    async def fails_half_way() -> None:
        async with database.write() as connection:
            await audit.note(connection, OPERATOR, Action.KEY_REVOKED, "k9")
            raise NotDoneError

    with pytest.raises(NotDoneError):
        await fails_half_way()
    async with database.read() as connection:
        assert await audit.page(connection, "acme", before_id=None, limit=100) == []


async def test_somebody_without_a_key_is_told_by_how_they_came_in(database: Database) -> None:
    async with database.write() as connection:
        await audit.note(connection, ANYBODY, Action.KEY_MADE, "k")
        await audit.note(connection, ANYBODY, Action.KEY_MADE, "k", actor="videoplanet keys")
    async with database.read() as connection:
        deeds = await audit.page(connection, "acme", before_id=None, limit=100)
    assert {deed.actor for deed in deeds} == {"open", "videoplanet keys"}


async def test_what_is_longer_than_its_column_is_cut_and_the_deed_is_noted(database: Database) -> None:
    async with database.write() as connection:
        await audit.note(
            connection, ANYBODY, Action.KEY_MADE, "t" * 500, request_id="r" * 500, actor="a" * 500
        )
    async with database.read() as connection:
        (deed,) = await audit.page(connection, "acme", before_id=None, limit=100)
    assert (deed.target, deed.request_id, deed.actor) == ("t" * 160, "r" * 64, "a" * 160)
