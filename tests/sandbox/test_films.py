"""What the sandbox renders: real, marked, reproducible, quick."""

from __future__ import annotations

import asyncio
import io
import time

import av
import pytest

from sandbox.films.filmlab import FilmLab
from sandbox.films.picture import Film, Scene
from sandbox.films.render import RenderingStopped, render, truncated
from tests.sandbox.playback import play


def film(**changes: object) -> Film:
    told = {"prompt": "A red fox", "seed": 1, "width": 320, "height": 180, "seconds": 0.5}
    return Film.model_validate(told | changes)


@pytest.mark.parametrize(
    ("width", "height", "seconds"),
    [(1280, 720, 2), (720, 1280, 2), (1584, 672, 1), (1104, 832, 1), (960, 960, 3)],
)
def test_a_film_has_the_size_and_length_that_was_asked_for(width: int, height: int, seconds: int) -> None:
    seen = play(render(film(width=width, height=height, seconds=seconds)))
    assert (seen.width, seen.height, seen.codec, seen.pixel_format) == (width, height, "h264", "yuv420p")
    assert seen.seconds == pytest.approx(seconds)
    assert seen.promised_seconds == pytest.approx(seconds)


def test_a_film_is_quick_to_make() -> None:
    began = time.thread_time()
    render(film(width=1280, height=720, seconds=5))
    assert time.thread_time() - began < 4  # about one second; the rest is room for a busy machine


def test_the_index_is_in_front_so_that_a_truncated_film_still_promises_everything() -> None:
    whole = render(film(seconds=2))
    assert whole.index(b"moov") < whole.index(b"mdat")
    cut = play(truncated(whole))
    assert cut.promised_seconds == pytest.approx(2)
    assert cut.seconds < 1.9


def test_the_same_film_gives_the_same_bytes() -> None:
    assert render(film()) == render(film())


@pytest.mark.parametrize("change", [{"seed": 2}, {"prompt": "A blue fox"}, {"image_digest": "abc"}])
def test_another_film_gives_another_picture(change: dict[str, object]) -> None:
    assert Scene(film(**change)).frame(0.0) != Scene(film()).frame(0.0)


def test_the_picture_moves() -> None:
    scene = Scene(film())
    assert scene.frame(0.0) != scene.frame(0.2)


def test_every_picture_says_sandbox() -> None:
    with av.open(io.BytesIO(render(film(width=640, height=360))), "r") as container:
        picture = next(container.decode(video=0)).reformat(format="gray")
    row = picture.planes[0].line_size
    pixels = bytes(picture.planes[0])
    # The mark is drawn four pixels of a 320 wide picture a dot, from (8, 8); twice that here.
    lit = [
        "".join("#" if pixels[y * row + x] > 225 else "." for x in range(20, 20 + 27 * 8, 8))
        for y in range(20, 60, 8)
    ]
    assert lit == [
        ".##..#..###.##..##...#..#.#",
        "#...#.#.#.#.#.#.#.#.#.#.#.#",
        ".#..###.#.#.#.#.##..#.#..#.",
        "..#.#.#.#.#.#.#.#.#.#.#.#.#",
        "##..#.#.#.#.##..##...#..#.#",
    ]


def test_rendering_stops_when_the_sandbox_closes() -> None:
    with pytest.raises(RenderingStopped):
        render(film(), is_stopped=lambda: True)


async def test_those_who_ask_at_once_share_one_rendering_and_the_loop_stays_free() -> None:
    lab = FilmLab(cache_bytes=10_000_000)
    wanted = film(width=1280, height=720, seconds=2)
    copies = asyncio.gather(*(lab.develop(wanted) for _ in range(5)))
    ticks = 0
    while not copies.done():
        ticks += 1
        await asyncio.sleep(0)
    first, *others = await copies
    assert all(copy is first for copy in others)
    assert await lab.develop(wanted) is first
    assert ticks > 10
    lab.close()


async def test_the_cache_is_bounded() -> None:
    size = len(render(film()))
    lab = FilmLab(cache_bytes=size + size // 2)
    first = await lab.develop(film())
    await lab.develop(film(seed=2))
    again = await lab.develop(film())
    assert again == first
    assert again is not first
    lab.close()
