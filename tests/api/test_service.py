"""What is said about the service itself, and what every answer carries."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import only
from tests.api.refusals import header
from tests.eventually import eventually
from tests.stack import Stack

NUMBERS = {"reserved_usd", "settled_usd", "at_risk_usd"}
LOADED = re.compile(r"""<(?:script|link|img)\b[^>]*?\b(?:src|href)=["']([^"']+)["']""")


async def test_a_whole_house_is_ready(stack: Stack) -> None:
    answer = await stack.http.get("/readyz")
    assert answer.status_code == 200
    parts = {"database": "ok", "temporal": "ok"}
    assert answer.json() == {"status": "ok", "mode": "sandbox", "parts": parts}


async def test_without_temporal_it_lives_and_takes_orders_but_is_not_ready(tmp_path: Path) -> None:
    async with only(tmp_path, "temporal", "api") as house:
        assert (await house.http.get("/readyz")).status_code == 200
        await house.kill("temporal")
        answer = await house.http.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["parts"] == {"database": "ok", "temporal": "unavailable"}
        assert (await house.http.get("/healthz")).json() == {"status": "ok"}
        ordered = await house.order()
        assert (await house.look(ordered["id"]))["status"] == "pending"
        await house.start_part("temporal")

        async def ready() -> bool:
            return (await house.http.get("/readyz")).status_code == 200

        await eventually(ready, what="it is ready again")


@pytest.mark.parametrize("path", ["/healthz", "/v1/generations", "/v1/nothing", "/", "/docs"])
async def test_every_answer_has_a_request_id(api: Stack, path: str) -> None:
    first, second = await api.http.get(path), await api.http.get(path)
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    given = await api.http.get(path, headers={"X-Request-Id": "my-request.1_a"})
    assert given.headers["x-request-id"] == "my-request.1_a"


@pytest.mark.parametrize("unfit", ["", "two words", "a" * 65, "<script>", '"', "\xe9"])
async def test_a_request_id_that_is_not_fit_for_logs_is_replaced(api: Stack, unfit: str) -> None:
    answer = await api.http.get("/healthz", headers=header("X-Request-Id", unfit))
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/"])
async def test_a_page_needs_nothing_from_elsewhere(api: Stack, path: str) -> None:
    page = await api.http.get(path)
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    loaded = LOADED.findall(page.text)
    for url in loaded:
        assert not re.match(r"(?:[a-z]+:)?//", url), url
        if not url.startswith("data:"):
            assert (await api.http.get(url)).status_code == 200, url
    assert not re.search(r"@import|url\(\s*['\"]?(?:https?:)?//", page.text)


async def test_the_money_is_three_decimal_strings_at_every_moment(stack: Stack) -> None:
    ordered = await stack.order()
    assert ordered["cost"] == {"reserved_usd": "0.24", "settled_usd": "0.00", "at_risk_usd": "0.00"}
    seen = ordered
    while seen["status"] not in {"completed", "failed"}:
        path = f"/v1/generations/{ordered['id']}?wait=20&after={seen['last_seq']}"
        seen = (await stack.http.get(path)).json()
        assert set(seen["cost"]) == NUMBERS
        assert all(re.fullmatch(r"\d+\.\d{2,6}", number) for number in seen["cost"].values())
        assert sum(map(Decimal, seen["cost"].values())) == Decimal("0.24"), (
            "reserved or settled, never neither"
        )
    assert seen["cost"] == {"reserved_usd": "0.00", "settled_usd": "0.24", "at_risk_usd": "0.00"}


async def test_what_can_be_done_next_is_said(
    standing: dict[str, Any], cancelled: dict[str, Any], finished: dict[str, Any]
) -> None:
    assert standing["actions"] == ["cancel", "replace"]
    assert cancelled["actions"] == ["regenerate", "delete"]
    assert finished["actions"] == ["regenerate", "keep", "feedback", "delete"]
