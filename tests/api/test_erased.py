"""What is left of a deleted generation: its money, and not a word nor a file of it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.api.changes import again, cancel
from tests.api.pictures import solid, uploaded
from tests.conftest import MakeStack
from tests.eventually import eventually, eventually_so
from tests.stack import Stack

SECRET = "quokka"
HISTORIES_WITHIN = 90
"""Seconds: Temporal deletes a run when it has written down that its closing was dealt with, every 30 s by default."""


def files_of(stack: Stack, take: dict[str, Any]) -> list[Path]:
    return [
        path for path in (stack.data_dir / "assets").rglob("*.mp4") if take["video"]["sha256"] in path.name
    ]


def posters(stack: Stack) -> int:
    return len(list((stack.data_dir / "assets").rglob("*.jpg")))


def rows(file: Path) -> Iterator[str]:
    """Every row of every table, as text."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        assert tables
        for table in tables:
            for row in database.execute(f'SELECT * FROM "{table}"'):  # noqa: S608  # its own names
                yield f"{table}: {row!r}"


def words_left(file: Path, word: str = SECRET) -> list[str]:
    return [row for row in rows(file) if word in row]


def uses(stack: Stack, generation_id: str) -> list[str]:
    return [
        row
        for row in rows(stack.data_dir / "videoplanet.db")
        if row.startswith("asset_uses: ") and generation_id in row
    ]


async def made(stack: Stack, prompt: str, **params: Any) -> dict[str, Any]:
    ordered = await stack.order(prompt, params={"duration_seconds": 2, **params})
    done = await stack.end_of(ordered["id"])
    assert done["status"] == "completed", done["error"]
    return done


async def delete(stack: Stack, generation: dict[str, Any]) -> None:
    answer = await stack.http.delete(f"/v1/generations/{generation['id']}")
    assert answer.status_code == 204, answer.text


async def history_is_gone(stack: Stack, generation_id: str) -> None:
    async def gone() -> bool:
        try:
            await stack.temporal("workflow", "describe", "-w", generation_id)
        except AssertionError as error:
            return "not found" in str(error)
        return False

    await eventually(gone, within=HISTORIES_WITHIN, what="the history is gone")


async def test_not_a_word_is_left_in_the_catalog(api: Stack) -> None:
    said = {"negative_prompt": f"no {SECRET}", "style": {"preset": SECRET}}
    ordered = await api.order(f"A {SECRET}", params=said, metadata={"scene": SECRET})
    path = f"/v1/generations/{ordered['id']}"
    await api.http.post(f"{path}/cancel", json={"reason": f"it is no {SECRET}"})
    await again(api, ordered, prompt=f"Another {SECRET}")
    await api.http.post(
        f"{path}/regenerate",
        json={"prompt": f"A third {SECRET}", "if_running": "replace"},
        headers={"Idempotency-Key": ordered["id"]},
    )
    await cancel(api, ordered)
    database = api.data_dir / "videoplanet.db"
    assert len(words_left(database)) > 5
    await delete(api, ordered)
    assert words_left(database) == []


async def test_feedback_and_failures_are_forgotten_and_the_money_stays(stack: Stack) -> None:
    done = await made(stack, f"A {SECRET}")
    path = f"/v1/generations/{done['id']}"
    await stack.http.post(f"{path}/feedback", json={"rating": 2, "comment": f"a poor {SECRET}"})
    await again(stack, done, prompt=f"[sandbox:fail_job=SAFETY.INPUT.TEXT] A {SECRET}")
    failed = await stack.end_of(done["id"])
    assert failed["status"] == "failed"
    await delete(stack, done)
    database = stack.data_dir / "videoplanet.db"
    assert words_left(database) == []
    attempts = [row for row in rows(database) if row.startswith("attempts: ") and done["id"] in row]
    assert len(attempts) == 2
    assert any("240000" in row for row in attempts), "what the first take cost"


async def test_its_files_are_gone_in_seconds_and_its_history_follows(stack: Stack) -> None:
    done = await made(stack, f"A lone {SECRET} on a beach")
    [take] = done["takes"]
    assert files_of(stack, take)
    before = posters(stack)
    await delete(stack, done)
    await eventually_so(lambda: not files_of(stack, take), within=15, what="its film is gone")
    assert posters(stack) == before - 1
    await history_is_gone(stack, done["id"])
    assert done["id"] not in await stack.temporal("workflow", "list", "--limit", "1000")
    await eventually_so(
        lambda: not words_left(stack.data_dir / "temporal.db", f"A lone {SECRET}"),
        within=HISTORIES_WITHIN,
        what="Temporal has forgotten the prompt",
    )


async def test_the_films_of_all_takes_go(stack: Stack) -> None:
    first = await made(stack, "A mole with two takes")
    await again(stack, first)
    done = await stack.end_of(first["id"])
    assert all(files_of(stack, take) for take in done["takes"])
    await delete(stack, done)
    await eventually_so(
        lambda: not any(files_of(stack, take) for take in done["takes"]),
        within=15,
        what="both films are gone",
    )


async def test_a_film_that_another_generation_has_too_goes_with_the_last_of_them(stack: Stack) -> None:
    one, other = [await made(stack, "A mole twice", seed=5) for _ in range(2)]
    [take] = one["takes"]
    assert take["video"]["sha256"] == other["takes"][0]["video"]["sha256"]
    await delete(stack, one)
    await eventually_so(lambda: not uses(stack, one["id"]), within=15, what="the first use has ended")
    answer = await stack.http.get(other["takes"][0]["video"]["url"])
    assert (answer.status_code, len(answer.content)) == (200, take["video"]["size_bytes"])
    assert (await stack.http.get(other["takes"][0]["video"]["poster_url"])).status_code == 200
    await delete(stack, other)
    await eventually_so(lambda: not files_of(stack, take), within=15, what="the film is gone")


async def test_the_picture_that_it_began_with_stays_until_it_is_deleted_itself(stack: Stack) -> None:
    image_id = await uploaded(stack, solid((40, 50, 60), 1280, 720))
    done = await made(stack, "A mole from a picture", image_id=image_id)
    await delete(stack, done)
    await eventually_so(lambda: not files_of(stack, done["takes"][0]), within=15, what="its film is gone")
    assert (await stack.http.get(f"/v1/images/{image_id}/file")).status_code == 200
    assert (await stack.http.delete(f"/v1/images/{image_id}")).status_code == 204


@pytest.mark.chaos
async def test_files_go_even_while_temporal_is_away_and_histories_follow_when_it_is_back(
    make_stack: MakeStack,
) -> None:
    stack = await make_stack()
    done = await made(stack, "A mole in the dark")
    await stack.kill("temporal")
    await delete(stack, done)
    await eventually_so(lambda: not files_of(stack, done["takes"][0]), within=30, what="its film is gone")
    await stack.start_part("temporal")
    await history_is_gone(stack, done["id"])


@pytest.mark.chaos
async def test_what_was_deleted_while_no_worker_ran_is_erased_by_the_next(make_stack: MakeStack) -> None:
    stack = await make_stack()
    done = await made(stack, "A mole left alone")
    await stack.kill("worker")
    await delete(stack, done)
    assert files_of(stack, done["takes"][0])
    await stack.start_part("worker")
    await eventually_so(lambda: not files_of(stack, done["takes"][0]), within=30, what="its film is gone")
    await history_is_gone(stack, done["id"])


@pytest.mark.chaos
async def test_what_was_kept_for_long_enough_goes_by_itself_but_not_what_somebody_keeps(
    make_stack: MakeStack,
) -> None:
    stack = await make_stack()
    old, kept = await made(stack, f"A {SECRET} of long ago"), await made(stack, "A fox to keep")
    answer = await stack.http.post(f"/v1/generations/{kept['id']}/takes/1/keep")
    assert answer.status_code == 200, answer.text
    await stack.kill("worker")
    about_a_second = str(1 / 86_400)
    await stack.start_part("worker", VIDEOPLANET_RETENTION_DAYS=about_a_second)
    await eventually_so(lambda: not files_of(stack, old["takes"][0]), what="the file is erased")
    assert (await stack.http.get(f"/v1/generations/{old['id']}")).status_code == 404
    await eventually_so(lambda: not words_left(stack.data_dir / "videoplanet.db"), what="no word is left")
    assert len(files_of(stack, kept["takes"][0])) == 1
    assert (await stack.look(kept["id"]))["takes"][0]["kept"]
