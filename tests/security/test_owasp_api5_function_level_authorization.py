"""OWASP API5:2023, broken function level authorization: what operators and admins may do, nobody else may.

The table below is written by hand, so that neither the code nor the document that is made from it can widen it.
"""

import httpx
import pytest

from domain.people.callers import Scope
from tests.api.keyholders import somebody
from tests.api.refusals import problem_of
from tests.security.town import Hers, Town

_KEYS, _ONE = "/v1/keys", "/v1/generations/{generation_id}"
OPERATE = {
    ("GET", "/metrics"),
    ("GET", f"{_ONE}/workflow"),
    ("POST", f"{_ONE}/takes/{{number}}/attempts/{{attempt}}/resolve"),
    *(("POST", f"/v1/providers/{{account}}/{what}") for what in ("pause", "resume", "reset_breaker")),
}
ADMIN = {
    *(("GET", _KEYS), ("POST", _KEYS), ("GET", f"{_KEYS}/{{key_id}}"), ("DELETE", f"{_KEYS}/{{key_id}}")),
    ("GET", "/v1/audit"),
}
READ = {
    *(("GET", path) for path in ("/v1/generations", "/v1/providers", "/v1/queue", "/v1/usage", "/v1/me")),
    *(("GET", f"{_ONE}{part}") for part in ("", "/cancel-preview", "/events", "/video", "/poster")),
    *(("GET", "/v1/images/{image_id}"), ("GET", "/v1/images/{image_id}/file")),
    *(("POST", path) for path in ("/v1/estimates", "/v1/tickets", "/v1/login-links")),
}
GENERATE = {
    *(("POST", "/v1/generations"), ("POST", "/v1/images"), ("DELETE", "/v1/images/{image_id}")),
    *(("POST", f"{_ONE}/{what}") for what in ("cancel", "regenerate", "feedback", "takes/{number}/keep")),
    *(("DELETE", _ONE), ("DELETE", f"{_ONE}/takes/{{number}}/keep")),
    *(("POST", "/v1/queue/pause"), ("POST", "/v1/queue/resume")),
}
EVERYBODY = {("GET", "/healthz"), ("GET", "/readyz")}
TABLE = {Scope.READ: READ, Scope.GENERATE: GENERATE, Scope.OPERATE: OPERATE, Scope.ADMIN: ADMIN}


async def test_the_table_has_every_operation_of_the_document(town: Town) -> None:
    listed = {(method, path) for method, path, _ in await town.operations()}
    assert listed == EVERYBODY.union(*TABLE.values()), "say who may do what is new"


@pytest.mark.parametrize("scope", TABLE)
async def test_every_other_scope_together_is_not_enough(town: Town, hers: Hers, scope: Scope) -> None:
    others = [one for one in Scope if one is not scope]
    async with somebody(town.stack, *others) as http:
        for method, path in sorted(TABLE[scope]):
            answer = await http.request(method, hers.fill(path))
            document = problem_of(answer, 403, "missing_scope")
            assert f"scope {scope};" in document["detail"], (method, path)
    assert (await town.ann.get(f"/v1/generations/{hers.id}")).json() == hers.generation


async def test_a_plain_user_does_nothing_that_operators_or_admins_do(town: Town, hers: Hers) -> None:
    for method, path in sorted(OPERATE | ADMIN):
        problem_of(await town.ann.request(method, hers.fill(path)), 403, "missing_scope")
    health = (await town.ann.get("/v1/providers")).json()
    assert "paused" not in str([one["health"] for one in health["data"] if one["id"] == "runway"])


async def test_a_plain_user_pauses_nobody_else_s_queue(town: Town) -> None:
    for what in ("pause", "resume"):
        problem_of(await town.ann.post(f"/v1/queue/{what}"), 403, "user_not_allowed")
    assert (await town.ann.get("/v1/queue")).json()["paused"] is False


async def test_an_operator_neither_orders_nor_makes_keys(town: Town, hers: Hers) -> None:
    for method, path in sorted(GENERATE | ADMIN):
        problem_of(await town.operator.request(method, hers.fill(path)), 403, "missing_scope")


async def test_tickets_and_links_do_nothing_but_show(town: Town, hers: Hers) -> None:
    made = (await town.admin.post("/v1/tickets", json={"generation_id": hers.id})).json()
    whole = (await town.admin.post("/v1/tickets", json={})).json()
    signed = httpx.URL(made["links"]["files"][0]["video"]).query.decode()
    shows = {("GET", f"{_ONE}{part}") for part in ("/events", "/video", "/poster")}
    shows |= {("GET", "/v1/images/{image_id}/file")}
    for method, path in sorted(READ.union(GENERATE, OPERATE, ADMIN) - shows):
        for query in (f"ticket={made['ticket']}", f"ticket={whole['ticket']}", signed):
            answer = await town.nobody.request(method, f"{hers.fill(path)}?{query}")
            assert answer.status_code == 401, (method, path, query)


async def test_a_method_that_is_asked_for_in_a_header_changes_nothing(town: Town, hers: Hers) -> None:
    path = f"/v1/keys/{hers.key_id}"
    for name in ("X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"):
        answer = await town.admin.get(path, headers={name: "DELETE"})
        assert answer.json()["state"] == "good"
    for spelled in (
        "/v1/providers/runway/pause/",
        "/v1//providers/runway/pause",
        "/V1/providers/runway/pause",
    ):
        answer = await town.ann.post(spelled, json={"reason": "spelled otherwise"})
        assert answer.status_code in {307, 401, 403, 404}, spelled
    queue = (await town.admin.get("/v1/queue")).json()
    assert "spelled otherwise" not in str(queue)
