"""What operators and admins did can be looked up by the admins of their tenant, and by nobody else."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.api.conftest import only
from tests.api.refusals import errors_of, problem_of
from tests.security.doors import bearer, make_key
from tests.stack import Stack


@pytest.fixture(scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """A house of its own, whose audit nobody else writes."""
    async with only(tmp_path_factory.mktemp("audit"), "temporal", "api") as alone:
        yield alone


@pytest.fixture(scope="module")
async def admin(house: Stack) -> str:
    return await make_key(house, "admin")


async def deeds(house: Stack, key: str, **query: Any) -> list[dict[str, Any]]:
    answer = await house.http.get("/v1/audit", headers=bearer(key), params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["data"])


async def newest(house: Stack, key: str) -> dict[str, Any]:
    return (await deeds(house, key, limit=1))[0]


def id_of(key: str) -> str:
    return key.split("_")[1]


async def order(house: Stack, key: str, **fields: Any) -> str:
    body = {"prompt": "A fox", "provider": "runway", **fields}
    answer = await house.http.post("/v1/generations", json=body, headers=bearer(key))
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


async def test_keys_that_are_made_and_revoked_are_noted(house: Stack, admin: str) -> None:
    made = await make_key(house, "second", scopes=["read"], as_key=admin)
    deed = await newest(house, admin)
    assert (deed["action"], deed["target"], deed["actor"]) == (
        "key.made",
        id_of(made),
        f"key:{id_of(admin)}",
    )
    assert made.split("_")[2] not in str(deed), "never the secret"
    answer = await house.http.delete(f"/v1/keys/{id_of(made)}", headers=bearer(admin))
    assert answer.status_code == 204
    deed = await newest(house, admin)
    assert (deed["action"], deed["target"]) == ("key.revoked", id_of(made))
    assert deed["request_id"] == answer.headers["x-request-id"]


async def test_what_is_done_to_an_account_is_noted_with_the_reason(house: Stack, admin: str) -> None:
    for change, body, action, data in (
        ("pause", {"reason": "Their bill is wrong"}, "account.paused", {"reason": "Their bill is wrong"}),
        ("resume", None, "account.resumed", {}),
        ("reset_breaker", None, "account.breaker_reset", {}),
    ):
        path = f"/v1/providers/runway/{change}"
        answer = await house.http.post(path, json=body, headers=bearer(admin) | {"X-Request-Id": change})
        assert answer.json().get("code") in {None, "gate_away"}, answer.text
        deed = await newest(house, admin)
        assert (deed["action"], deed["target"], deed["data"]) == (action, "runway", data)
        assert deed["request_id"] == change


async def test_a_cancel_is_noted_where_it_stops_what_somebody_else_ordered(house: Stack, admin: str) -> None:
    anns = await order(house, admin, user_id="ann")
    ann = await make_key(house, "ann", scopes=["read", "generate"], user_id="ann", as_key=admin)
    before = len(await deeds(house, admin, limit=100))
    own = await order(house, ann)
    for generation_id, key in ((own, ann), (anns, admin), (anns, admin)):
        answer = await house.http.post(f"/v1/generations/{generation_id}/cancel", headers=bearer(key))
        assert answer.status_code in {202, 409}, answer.text
    after = await deeds(house, admin, limit=100)
    assert len(after) == before + 1, (
        "her own cancel, and the second one of the same take, are nobody's business"
    )
    assert (after[0]["action"], after[0]["target"]) == ("generation.cancelled", anns)


async def test_what_is_deleted_is_noted_and_never_its_prompt(house: Stack, admin: str) -> None:
    generation_id = await order(house, admin, prompt="a secret that is told to nobody")
    await house.http.post(f"/v1/generations/{generation_id}/cancel", headers=bearer(admin))
    answer = await house.http.delete(f"/v1/generations/{generation_id}", headers=bearer(admin))
    assert answer.status_code == 204, answer.text
    deed = await newest(house, admin)
    assert (deed["action"], deed["target"]) == ("generation.deleted", generation_id)
    assert "secret" not in str(await deeds(house, admin, limit=100))


async def test_what_was_refused_is_not_noted(house: Stack, admin: str) -> None:
    before = await deeds(house, admin, limit=100)
    generation_id = await order(house, admin)
    refused = await house.http.delete(f"/v1/generations/{generation_id}", headers=bearer(admin))
    problem_of(refused, 409, "still_running")
    problem_of(await house.http.delete("/v1/keys/0000000000000000", headers=bearer(admin)), 404, "not_found")
    assert await deeds(house, admin, limit=100) == before


async def test_only_admins_look_and_only_at_their_own_tenant(house: Stack, admin: str) -> None:
    operator = await make_key(house, "operator", scopes=["read", "operate"], as_key=admin)
    problem_of(await house.http.get("/v1/audit", headers=bearer(operator)), 403, "missing_scope")
    problem_of(await house.http.get("/v1/audit"), 401, "unauthenticated")
    mine = await make_key(house, "mine", scopes=["admin", "read"], user_id="bob", as_key=admin)
    assert await deeds(house, mine) == [], "an admin who is one user sees what that user did"
    assert len(await deeds(house, admin)) > 3


async def test_pages_go_on_where_the_last_one_ended(house: Stack, admin: str) -> None:
    everything = await deeds(house, admin, limit=100)
    assert len(everything) > 4
    seen: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        query = {"limit": "2", **({"cursor": cursor} if cursor else {})}
        answer = await house.http.get("/v1/audit", headers=bearer(admin), params=query)
        page = answer.json()
        seen += page["data"]
        cursor = page["next"]
        if not page["has_more"]:
            break
    assert seen == everything
    assert cursor is None
    refused = await house.http.get("/v1/audit", headers=bearer(admin), params={"cursor": "nonsense"})
    assert list(errors_of(refused, code="invalid_cursor")) == ["/query/cursor"]
