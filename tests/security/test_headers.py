"""What browsers are told of our answers: nothing foreign runs in them, nothing frames them, nothing private is kept."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.headers import docs_policy
from tests.api.conftest import only
from tests.stack import ROOT, Stack

EVERYWHERE = [
    "/",
    "/docs",
    "/redoc",
    "/login",
    "/static/app.js",
    "/v1/generations",
    "/v1/nothing",
    "/healthz",
]


def policy_of(answer: httpx.Response) -> dict[str, str]:
    """A Content-Security-Policy by its directives."""
    parts = (part.strip().partition(" ") for part in answer.headers["content-security-policy"].split(";"))
    return {name: value for name, _, value in parts if name}


@pytest.mark.parametrize("path", EVERYWHERE)
async def test_no_answer_is_guessed_framed_or_told_of_elsewhere(api: Stack, path: str) -> None:
    answer = await api.http.get(path)
    headers = answer.headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    policy = policy_of(answer)
    assert (policy["default-src"], policy["frame-ancestors"], policy["base-uri"]) == ("'none'",) * 3
    assert "strict-transport-security" not in headers, "it is reached by http"
    assert "server" not in headers


@pytest.mark.parametrize("path", ["/", "/login"])
async def test_our_pages_run_nothing_that_is_written_into_them(api: Stack, path: str) -> None:
    answer = await api.http.get(path)
    policy = policy_of(answer)
    assert (policy["script-src"], policy["style-src"]) == ("'self'", "'self'")
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "trusted-types" in policy
    assert not re.search(r"<script>|<style|\sstyle=|\son\w+=", answer.text)


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
async def test_the_pages_of_the_description_run_their_own_script_only(api: Stack, path: str) -> None:
    answer = await api.http.get(path)
    assert answer.headers["content-security-policy"] == docs_policy(answer.content)
    script = policy_of(answer)["script-src"]
    assert "unsafe" not in script
    assert ("sha256-" in script) == ("<script>" in answer.text)


async def test_a_changed_script_has_another_hash() -> None:
    assert docs_policy(b"<script>one</script>") != docs_policy(b"<script>two</script>")


async def test_data_may_do_nothing_and_is_not_kept(api: Stack, standing: dict[str, Any]) -> None:
    for path in ("/v1/generations", f"/v1/generations/{standing['id']}", "/v1/providers", "/v1/nothing"):
        answer = await api.http.get(path)
        assert set(policy_of(answer)) == {"default-src", "base-uri", "frame-ancestors"}
        assert answer.headers["cache-control"] == "no-store"


async def test_files_say_themselves_how_long_they_may_be_kept(stack: Stack, finished: dict[str, Any]) -> None:
    answer = await stack.http.get(f"/v1/generations/{finished['id']}/video", params={"take": 1})
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


async def test_a_link_that_is_made_for_others_may_be_shown_elsewhere(
    stack: Stack, finished: dict[str, Any]
) -> None:
    answer = await stack.http.get(f"/v1/generations/{finished['id']}/poster", params={"ticket": "any"})
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    told = await stack.http.get(f"/v1/generations/{finished['id']}", params={"ticket": "any"})
    assert told.headers["cross-origin-resource-policy"] == "same-origin", "what is no file is not"


@pytest.fixture
async def behind_https(tmp_path: Path) -> AsyncIterator[Stack]:
    async with only(tmp_path, "api", VIDEOPLANET_PUBLIC_URL="https://videos.example.com") as alone:
        yield alone


async def test_a_service_that_is_reached_by_https_insists_on_it(behind_https: Stack) -> None:
    for path in ("/", "/v1/nothing"):
        answer = await behind_https.http.get(path)
        assert "max-age=31536000" in answer.headers["strict-transport-security"]


def test_our_scripts_make_no_markup_of_texts() -> None:
    """What a browser without trusted types would not notice."""
    for script in (ROOT / "api" / "static").glob("*.js"):
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function",
            script.read_text(),
        ), script.name
