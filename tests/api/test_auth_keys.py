"""Keys: what opens, what does not (any more), and what a key can make of itself."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.people.callers import Scope
from domain.people.keys import WrittenKey
from runtime import keyring
from storage.database import Database
from tests.api.keyholders import client, new_key, settings_of, somebody
from tests.api.refusals import problem_of
from tests.eventually import eventually
from tests.stack import Stack

LIST = "/v1/generations"


def changed(key: str) -> str:
    return key[:-1] + ("0" if key[-1] != "0" else "1")


async def test_a_key_opens(house: Stack) -> None:
    async with somebody(house, Scope.READ) as http:
        assert (await http.get(LIST)).status_code == 200


@pytest.mark.parametrize(
    "sent",
    [
        "Bearer",
        "Bearer vp_",
        "Bearer nonsense",
        pytest.param(f"Bearer {WrittenKey.new()}", id="a key of nobody"),
        "Basic dXNlcjpwYXNz",
        "vp_without_a_scheme",
        "Bearer vp_a_b, Bearer vp_c_d",
    ],
)
async def test_what_is_no_key_of_ours_opens_nothing(house: Stack, sent: str) -> None:
    async with client(house) as http:
        answer = await http.get(LIST, headers={"Authorization": sent})
        problem_of(answer, 401, "invalid_key")
        assert answer.headers["www-authenticate"] == 'Bearer realm="videoplanet", error="invalid_token"'


async def test_a_key_with_another_secret_or_id_opens_nothing(house: Stack) -> None:
    (_, first), (_, second) = await new_key(house), await new_key(house)
    mixed = "_".join(("vp", first.split("_")[1], second.split("_")[2]))
    async with client(house) as http:
        for text in (changed(first), mixed, first.upper(), first[:-1]):
            answer = await http.get(LIST, headers={"Authorization": f"Bearer {text}"})
            problem_of(answer, 401, "invalid_key")
            assert text not in answer.text


async def test_an_expired_key_opens_nothing(house: Stack) -> None:
    _, key = await new_key(house, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    async with client(house, key) as http:
        assert "expired" in problem_of(await http.get(LIST), 401, "invalid_key")["detail"]


async def test_a_key_that_was_just_used_ends_when_its_time_is_over(house: Stack) -> None:
    _, key = await new_key(house, expires_at=datetime.now(UTC) + timedelta(seconds=1.5))
    async with client(house, key) as http:
        assert (await http.get(LIST)).status_code == 200

        async def refused() -> bool:
            return (await http.get(LIST)).status_code == 401

        await eventually(refused, within=3.5, what="the key is over")


async def test_a_revoked_key_is_worth_nothing_within_two_seconds_for_another_process(house: Stack) -> None:
    key, text = await new_key(house)
    async with client(house, text) as http:
        assert (await http.get(LIST)).status_code == 200
        async with Database(house.database_url) as database, database.write() as connection:
            await keyring.revoke(connection, key, key.caller())

        async def refused() -> bool:
            return (await http.get(LIST)).status_code == 401

        await eventually(refused, within=2, what="the key is revoked")
        assert "revoked" in problem_of(await http.get(LIST), 401, "invalid_key")["detail"]


async def test_an_open_stream_ends_with_its_key(house: Stack) -> None:
    key, text = await new_key(house, Scope.READ)
    waiting = await house.order("[sandbox:stuck] one that is watched")
    async with client(house, text) as http:
        url = f"{LIST}/{waiting['id']}/events"
        async with http.stream("GET", url, headers={"Accept": "text/event-stream"}) as stream:
            lines = stream.aiter_lines()
            assert (await anext(lines)).startswith("retry")
            assert (await house.http.delete(f"/v1/keys/{key.id}")).status_code == 204
            async with asyncio.timeout(3):
                async for _ in lines:
                    pass
        waited = await http.get(f"{LIST}/{waiting['id']}", params={"wait": 30})
        problem_of(waited, 401, "invalid_key")
    await house.http.post(f"{LIST}/{waiting['id']}/cancel")


async def test_a_long_poll_ends_with_its_key(house: Stack) -> None:
    key, text = await new_key(house, Scope.READ)
    waiting = await house.order("[sandbox:stuck] one that is waited for")
    async with client(house, text) as http:
        polled = asyncio.create_task(http.get(f"{LIST}/{waiting['id']}", params={"wait": 60}))
        async with client(house, text) as other:
            assert (await other.get(LIST)).status_code == 200
        assert (await house.http.delete(f"/v1/keys/{key.id}")).status_code == 204
        problem_of(await asyncio.wait_for(polled, 5), 401, "invalid_key")
    await house.http.post(f"{LIST}/{waiting['id']}/cancel")


async def test_a_key_is_made_listed_looked_at_and_revoked(house: Stack) -> None:
    body = {"name": "The web shop", "scopes": ["generate", "read"], "user_id": "ann"}
    answer = await house.http.post("/v1/keys", json=body)
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    new = answer.json()
    text = new.pop("key")
    assert answer.headers["location"] == f"/v1/keys/{new['id']}"
    assert text.startswith(f"vp_{new['id']}_")
    assert (new["name"], new["scopes"], new["user_id"]) == ("The web shop", ["read", "generate"], "ann")
    assert new["state"] == "good"
    listed = (await house.http.get("/v1/keys")).json()["data"]
    assert listed[0] == new
    async with client(house, text) as http:
        assert (await http.get(LIST)).status_code == 200

        async def used() -> bool:
            return (await house.http.get(f"/v1/keys/{new['id']}")).json()["last_used_at"] is not None

        await eventually(used, what="its use is written down")
        assert (await house.http.delete(f"/v1/keys/{new['id']}")).status_code == 204
        problem_of(await http.get(LIST), 401, "invalid_key")
    assert (await house.http.delete(f"/v1/keys/{new['id']}")).status_code == 204
    assert (await house.http.get(f"/v1/keys/{new['id']}")).json()["state"] == "revoked"


async def test_pages_of_keys_leave_none_out(house: Stack) -> None:
    made = {(await new_key(house, Scope.READ, tenant="many"))[0].id for _ in range(5)}
    async with somebody(house, Scope.ADMIN, tenant="many") as http:
        seen: list[str] = []
        query: dict[str, Any] = {"limit": 2}
        while query.get("cursor", "") is not None:
            page = (await http.get("/v1/keys", params=query)).json()
            seen += [key["id"] for key in page["data"]]
            query["cursor"] = page["next"]
        assert len(seen) == len(set(seen)) == 6
        assert made < set(seen)
        for cursor in ("x", "bm9uc2Vuc2U", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTkvYQ"):
            problem_of(await http.get("/v1/keys", params={"cursor": cursor}), 422, "invalid_cursor")


async def test_a_key_hands_out_no_scope_that_it_has_not_got(house: Stack) -> None:
    async with somebody(house, Scope.ADMIN, Scope.READ) as http:
        body = {"name": "more", "scopes": ["read", "generate", "operate"]}
        document = problem_of(await http.post("/v1/keys", json=body), 403, "missing_scope")
        assert document["errors"][0]["pointer"] == "/scopes"
        assert document["errors"][0]["allowed"] == ["read", "admin"]
        assert (await http.post("/v1/keys", json={"name": "less", "scopes": ["read"]})).status_code == 201


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["everything"]}, "/scopes/0"),
        ({"name": ""}, "/name"),
        ({"name": "  "}, "/name"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"expires_at": "2099-01-01"}, "/expires_at"),
        ({"tenant_id": "another"}, "/tenant_id"),
        ({"user_id": ""}, "/user_id"),
    ],
)
async def test_a_key_that_cannot_be_is_refused_by_field(
    house: Stack, change: dict[str, object], pointer: str
) -> None:
    answer = await house.http.post("/v1/keys", json={"name": "a", "scopes": ["read"]} | change)
    document = problem_of(answer, 422, "invalid_request")
    assert document["errors"][0]["pointer"] == pointer


async def test_a_users_key_makes_keys_for_its_user_only_and_sees_no_others(house: Stack) -> None:
    others, _ = await new_key(house, Scope.READ, user="ben")
    async with somebody(house, Scope.ADMIN, Scope.READ, user="ann") as http:
        refused = await http.post("/v1/keys", json={"name": "a", "scopes": ["read"], "user_id": "ben"})
        problem_of(refused, 403, "user_not_allowed")
        own = (await http.post("/v1/keys", json={"name": "a", "scopes": ["read"]})).json()
        assert own["user_id"] == "ann"
        assert {key["user_id"] for key in (await http.get("/v1/keys")).json()["data"]} == {"ann"}
        problem_of(await http.get(f"/v1/keys/{others.id}"), 404, "not_found")
        problem_of(await http.delete(f"/v1/keys/{others.id}"), 404, "not_found")


async def test_no_secret_is_in_the_database_or_in_the_logs(house: Stack) -> None:
    _, text = await new_key(house)
    async with client(house, text) as http:
        made = (await http.post("/v1/keys", json={"name": "a", "scopes": ["read"]})).json()["key"]
        ticket = (await http.post("/v1/tickets", json={})).json()["ticket"]
        link = (await http.post("/v1/login-links")).json()["url"].partition("token=")[2]
        login = await http.post("/login", data={"token": link})
        session = next(iter(login.cookies.values()))
        await http.get(LIST, params={"ticket": ticket})
        await http.get(f"{LIST}?ticket={ticket}x", headers={"Authorization": f"Bearer {text}x"})
    secrets = [key.split("_")[2] for key in (text, made, ticket.replace("_", "__"), link.replace("_", "__"))]
    secrets.append(session.split("_")[1])
    assert all(len(secret) == 40 for secret in secrets)
    with closing(sqlite3.connect(house.data_dir / "videoplanet.db")) as database:
        written = "\n".join(database.iterdump())
    logs = "\n".join(path.read_text(errors="replace") for path in house.data_dir.glob("*.log"))
    for secret in secrets:
        assert secret not in written
        assert secret not in logs
    assert settings_of(house).data_dir.joinpath("secret.key").read_text().strip() not in written + logs


async def test_what_was_done_with_keys_is_noted(house: Stack) -> None:
    made = (await house.http.post("/v1/keys", json={"name": "noted", "scopes": ["read"]})).json()
    await house.http.delete(f"/v1/keys/{made['id']}")
    with closing(sqlite3.connect(house.data_dir / "videoplanet.db")) as database:
        rows = database.execute(
            "SELECT action, actor FROM audit WHERE target = ? ORDER BY id", [made["id"]]
        ).fetchall()
    assert [action for action, _ in rows] == ["key.made", "key.revoked"]
    assert all(actor.startswith("key:") for _, actor in rows)
