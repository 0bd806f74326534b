"""OWASP API3:2023, broken object property level authorization: nobody sets what is ours to say, nor reads secrets."""

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from tests.api.refusals import errors_of, problem_of
from tests.security.town import Hers, Town, an_order

OURS = {
    "id": "gen_00000000000000000000000000",
    "tenant_id": "somebody-else",
    "status": "completed",
    "stage": "done",
    "mode": "live",
    "cost": {"settled_usd": "0.00"},
    "reserved_micros": 0,
    "price": 0,
    "takes": [],
    "api_key": "key_stolen",
    "account": "runway",
    "base_url": "https://evil.example",
    "scopes_granted": ["admin"],
    "created_at": "2020-01-01T00:00:00Z",
    "__proto__": {},
}
"""What only the service says; a `Location` of a client's own is worth nothing to anybody."""
EXTRA = {"extra_forbidden"}


def body_schema(document: dict[str, Any], said: dict[str, Any]) -> dict[str, Any] | None:
    """The schema of an operation's JSON body."""
    content = said.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return None
    schema = content["schema"]
    schema = next((one for one in schema.get("anyOf", [schema]) if "$ref" in one), schema)
    found: Any = document
    for part in schema["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)


async def test_every_body_of_the_document_refuses_what_is_ours_to_say(town: Town, hers: Hers) -> None:
    document = (await town.nobody.get("/openapi.json")).json()
    tried = 0
    for method, path, said in await town.operations():
        schema = body_schema(document, said)
        if schema is None:
            continue
        foreign = {name: value for name, value in OURS.items() if name not in schema["properties"]}
        assert len(foreign) == len(OURS), f"{method} {path} lets a client say {set(OURS) - set(foreign)}"
        answer = await town.admin.request(method, hers.fill(path), json=foreign)
        wrong = {pointer: error["code"] for pointer, error in errors_of(answer).items()}
        assert {wrong.get(f"/{name}") for name in foreign} == EXTRA, (method, path, wrong)
        tried += 1
    assert tried > 10
    assert (await town.ann.get(f"/v1/generations/{hers.id}")).json() == hers.generation


@pytest.mark.parametrize("inside", ["params", "style", "camera"])
async def test_what_lies_deeper_is_closed_too(town: Town, inside: str) -> None:
    smuggled: dict[str, Any] = {"cost": 0}
    params = {"duration_seconds": 2, **(smuggled if inside == "params" else {inside: smuggled})}
    body = an_order("smuggled", params=params)
    pointer = "/params/cost" if inside == "params" else f"/params/{inside}/cost"
    assert errors_of(await town.ann.post("/v1/generations", json=body))[pointer]["code"] == "extra_forbidden"


async def test_a_form_takes_nothing_beside_its_file(town: Town) -> None:
    form = {"tenant_id": "somebody-else"}
    answer = await town.ann.post("/v1/images", data=form, files={"file": ("a.png", b"no picture")})
    assert errors_of(answer)["/tenant_id"]["code"] == "extra_forbidden"


async def test_a_query_takes_nothing_that_narrows_to_other_tenants(town: Town) -> None:
    for path in ("/v1/generations", "/v1/queue", "/v1/keys", "/v1/audit"):
        answer = await town.admin.get(path, params={"tenant_id": "somebody-else"})
        assert errors_of(answer)["/query/tenant_id"]["code"] == "extra_forbidden", path


async def test_nobody_orders_in_anothers_name(town: Town) -> None:
    refused = await town.ann.post("/v1/generations", json=an_order("at ben's cost", user_id="ben"))
    document = problem_of(refused, 403, "user_not_allowed")
    assert document["errors"][0]["pointer"] == "/user_id"
    own = await town.ann.post("/v1/generations", json=an_order("at her own cost"))
    assert own.json()["user_id"] == "ann", "it comes from the key"
    changed = await town.ann.post(f"/v1/generations/{own.json()['id']}/regenerate", json={"user_id": "ben"})
    assert errors_of(changed)["/user_id"]["code"] == "extra_forbidden"


async def test_nobody_makes_a_key_that_is_worth_more_than_their_own(town: Town) -> None:
    made = {"name": "more"}
    for scopes in (["operate"], ["act_as"], ["read", "operate"]):
        refused = await town.ben.post("/v1/keys", json=made | {"scopes": scopes})
        document = problem_of(refused, 403, "missing_scope")
        assert document["errors"][0]["pointer"] == "/scopes"
    refused = await town.ben.post("/v1/keys", json=made | {"scopes": ["read"], "user_id": "ann"})
    problem_of(refused, 403, "user_not_allowed")
    own = await town.ben.post("/v1/keys", json=made | {"scopes": ["read"]})
    assert own.json()["user_id"] == "ben", "a key of one user makes keys for this user only"


def secrets_of(town: Town) -> dict[str, str]:
    """What nobody is shown, by what it is."""
    with closing(sqlite3.connect(town.stack.data_dir / "videoplanet.db")) as database:
        seals = [row[0] for row in database.execute("SELECT secret_hmac FROM api_keys")]
        tokens = [row[0] for row in database.execute("SELECT token_hmac FROM passes")]
    return {
        "the deployment's secret": (town.stack.data_dir / "secret.key").read_text().strip(),
        "the data folder": str(town.stack.data_dir),
        "the provider's address": town.provider.url,
        **{f"the secret of {name}'s key": key.split("_")[2] for name, key in town.keys.items()},
        **{f"the seal of key {number}": seal for number, seal in enumerate(seals)},
        **{f"the seal of pass {number}": seal for number, seal in enumerate(tokens)},
    }


async def test_no_answer_shows_a_secret_or_where_things_are(town: Town, hers: Hers) -> None:
    await town.ann.post("/v1/tickets", json={})
    secrets, read = secrets_of(town), 0
    assert len(secrets) > 10
    for method, path, _ in await town.operations():
        if method != "GET":
            continue
        for person in (town.admin, town.operator, town.ann):
            answer = await person.get(hers.fill(path))
            shown = {what for what, secret in secrets.items() if secret.encode() in answer.content}
            assert not shown, path
            read += answer.status_code == 200
    assert read > 30


async def test_no_refusal_and_no_change_shows_a_secret(town: Town, hers: Hers) -> None:
    secrets = secrets_of(town)
    for method, path, _ in await town.operations():
        for body in (b"{", b"[]", b'{"prompt": {}}', b'"\xff"'):
            if method != "GET":
                answer = await town.stranger.request(
                    method, hers.fill(path), content=body, headers={"Content-Type": "application/json"}
                )
                shown = {what for what, secret in secrets.items() if secret.encode() in answer.content}
                assert not shown, path


async def test_a_key_is_shown_once(town: Town) -> None:
    made = (await town.ben.post("/v1/keys", json={"name": "shown once", "scopes": ["read"]})).json()
    secret = made["key"].split("_")[2]
    for path in ("/v1/keys", f"/v1/keys/{made['id']}", "/v1/audit", "/v1/me"):
        for person in (town.ben, town.admin):
            answer = await person.get(path)
            assert answer.status_code == 200
            assert secret not in answer.text, path
    assert "key" not in (await town.ben.get(f"/v1/keys/{made['id']}")).json()


async def test_a_user_s_numbers_tell_nothing_of_others(town: Town, hers: Hers) -> None:
    usage = (await town.ben.get("/v1/usage")).json()
    assert usage["user_id"] == "ben"
    assert "ann" not in str(usage["by_user"])
    queue = (await town.ben.get("/v1/queue")).json()
    assert {"ann", hers.id} & set(str(queue).split("'")) == set()
    whole = (await town.admin.get("/v1/usage")).json()
    assert "ann" in str(whole["by_user"]), "who may see the tenant's numbers does"
